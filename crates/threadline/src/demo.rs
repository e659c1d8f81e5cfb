//! `threadline demo`: the same service as `serve`, with a demo API behind it and simulated clients in front of it.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use threadline_traffic::truth::TruthWriter;
use threadline_traffic::{Simulation, SimulationSettings, Upstream, UpstreamSettings};

use crate::cli::DemoOptions;
use crate::configuration::Configuration;
use crate::installation::{InstallationError, create_private_folder};
use crate::serve::{self, ServeError, told};

/// Where a demo keeps what it made up, unless told otherwise: apart from everything real.
pub(crate) const DATA_FOLDER: &str = "threadline-demo-data";

/// A file in every data folder that a demo made. A folder with content and without it holds somebody's real data.
const MARKER: &str = "made-by-demo";

/// Why the demo did not start or ended badly.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoError {
    #[error("cannot start the demo API")]
    Upstream(#[source] std::io::Error),
    #[error("cannot write the truth to {}", file.display())]
    Truth {
        file: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error(
        "{} holds data that no demo made, and a demo would mix invented sessions into it: leave --data out (the demo has \
         {DATA_FOLDER} of its own), or name an empty folder",
        folder.display()
    )]
    RealData { folder: PathBuf },
    #[error("cannot use the folder {}", folder.display())]
    Folder {
        folder: PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error(transparent)]
    Installation(#[from] InstallationError),
    #[error(transparent)]
    Serve(#[from] ServeError),
}

/// The parameters that somebody who knows the demo API would set, as in a configuration file. The first two keys make a
/// login's answer and the requests that carry its token one session; the rest tells who acts.
const PARAMETERS: &str = r#"{"parameters":[
  {"name":"issued token","point":"response > body > json > property token","group":true},
  {"name":"token in body","point":"request > body > json > property token","group":true},
  {"name":"token in query","point":"request > query token","group":true},
  {"name":"mobile user","point":"request > header AUTHORIZATION > jwt payload > property sub","type":"user","hashed":false},
  {"name":"mobile role","point":"request > header AUTHORIZATION > jwt payload > property role","type":"role","hashed":false},
  {"name":"signed in as","point":"response > body > json > property user > property name","type":"user"},
  {"name":"signed in role","point":"response > body > json > property user > property role","type":"role"},
  {"name":"order","point":"request > path 1"}
]}"#;

/// Runs until SIGINT or SIGTERM.
pub(crate) async fn run(mut configuration: Configuration, options: DemoOptions) -> Result<(), DemoError> {
    claim(&configuration.data)?;
    let mut upstream_settings = UpstreamSettings { seed: options.seed, ..UpstreamSettings::default() };
    if options.pace == 0.0 {
        upstream_settings.latency = std::time::Duration::ZERO;
        upstream_settings.event_interval = std::time::Duration::ZERO;
    }
    let upstream = Upstream::bind(([127, 0, 0, 1], 0).into(), upstream_settings).await.map_err(DemoError::Upstream)?;
    if configuration.policy.is_none() && configuration.policy_file.is_none() {
        configuration.policy = serde_json::from_str(PARAMETERS).ok();
    }
    configuration.proxy.upstream = Some(format!("http://{}", upstream.local_address()));
    let truth = match &options.truth {
        Some(file) => {
            let opened = File::create(file).map_err(|source| DemoError::Truth { file: file.clone(), source })?;
            TruthWriter::lines(BufWriter::new(opened))
        }
        None => TruthWriter::discard(),
    };
    let announce = options.settings.announce.clone();
    serve::run(configuration, announce, move |addresses, stopping| {
        let settings = SimulationSettings {
            seed: options.seed,
            target: addresses.proxy_url.clone().unwrap_or_default().trim_end_matches('/').to_owned(),
            requests: options.requests,
            pace: options.pace,
            ..SimulationSettings::default()
        };
        async move {
            let serving = tokio::spawn(upstream.run(told(stopping.clone())));
            match Simulation::new(settings).await {
                Ok(simulation) => match simulation.run(truth.clone(), told(stopping)).await {
                    Ok(report) => tracing::info!(
                        requests = report.requests(),
                        failures = report.failures(),
                        "simulated clients done"
                    ),
                    Err(error) => tracing::error!(%error, "simulated clients stopped"),
                },
                Err(error) => tracing::error!(%error, "simulated clients not started"),
            }
            if let Err(error) = truth.flush() {
                tracing::error!(%error, "the truth could not be written");
            }
            let _ = serving.await;
        }
    })
    .await?;
    Ok(())
}

/// Makes sure that the folder is a demo's: marks an empty one, and refuses one that holds anything else.
fn claim(folder: &Path) -> Result<(), DemoError> {
    let failed = |source| DemoError::Folder { folder: folder.to_owned(), source };
    create_private_folder(folder)?;
    let marker = folder.join(MARKER);
    if marker.try_exists().map_err(failed)? {
        return Ok(());
    }
    if std::fs::read_dir(folder).map_err(failed)?.next().is_some() {
        return Err(DemoError::RealData { folder: folder.to_owned() });
    }
    std::fs::write(&marker, "Everything in this folder was made up by `threadline demo`.\n").map_err(failed)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_demo_takes_only_folders_that_are_empty_or_a_demos() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        claim(&data).unwrap();
        std::fs::write(data.join("secret"), "of the demo").unwrap();
        claim(&data).unwrap();

        std::fs::remove_file(data.join(MARKER)).unwrap();
        let refused = claim(&data).unwrap_err().to_string();
        assert!(refused.contains("no demo made") && refused.contains("--data"), "{refused}");
        assert!(!data.join(MARKER).exists(), "nothing is changed in it");
    }

    #[test]
    fn the_demo_policy_is_one_that_a_file_could_hold() {
        let document = serde_json::from_str(PARAMETERS).unwrap();
        assert!(threadline_policy::Policy::validate(1, document).is_ok());
    }
}
