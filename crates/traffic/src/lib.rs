//! A deterministic simulator of API clients and of the API they use, for the demo, the benchmarks and the tests.
//!
//! * [`Upstream`] is a real HTTP server of a small shop.
//! * [`Simulation`] runs actors (people and programs) against it over real sockets, usually through the proxy, each
//!   from a loopback address of its own, and writes the [`truth`] beside the traffic.
//! * [`generate`] makes the same kind of exchanges in process, without sockets.
//!
//! The same seed gives the same actors, requests, tokens and errors, whatever the order in which things happen.
//! Nothing in here knows how sessions are decided; it only says who was who.

mod actors;
pub mod generate;
mod har;
mod random;
mod shop;
mod simulation;
pub mod truth;
mod upstream;
mod wire;

pub use actors::{ActorKind, ActorPlan, Arrivals};
pub use har::HarRecorder;
pub use shop::{Answer, Content, Question, Shop};
pub use simulation::{KindReport, Report, Simulation, SimulationError, SimulationSettings};
pub use upstream::{Upstream, UpstreamSettings};
