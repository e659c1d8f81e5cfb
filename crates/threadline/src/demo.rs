//! `threadline demo`: the same service as `serve`, with a demo API behind it and simulated clients in front of it.

use std::fs::File;
use std::io::BufWriter;
use std::path::PathBuf;

use threadline_traffic::truth::TruthWriter;
use threadline_traffic::{Simulation, SimulationSettings, Upstream, UpstreamSettings};

use crate::cli::DemoOptions;
use crate::configuration::Configuration;
use crate::serve::{self, ServeError, told};

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
    #[error(transparent)]
    Serve(#[from] ServeError),
}

/// Runs until SIGINT or SIGTERM.
pub(crate) async fn run(mut configuration: Configuration, options: DemoOptions) -> Result<(), DemoError> {
    let mut upstream_settings = UpstreamSettings { seed: options.seed, ..UpstreamSettings::default() };
    if options.pace == 0.0 {
        upstream_settings.latency = std::time::Duration::ZERO;
        upstream_settings.event_interval = std::time::Duration::ZERO;
    }
    let upstream = Upstream::bind(([127, 0, 0, 1], 0).into(), upstream_settings).await.map_err(DemoError::Upstream)?;
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
