//! The two bodies of an exchange on their way through, each leaving a bounded copy behind.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use threadline_model::CapturedBody;

use super::capture::BodyCapture;
use super::recording::Recording;
use super::upstream::Link;
use super::worker::Worker;

/// What is known of a request's body while it is on its way; shared by the body and the recording.
pub(super) struct RequestTap {
    worker: Arc<Worker>,
    state: Mutex<TapState>,
}

struct TapState {
    capture: BodyCapture,
    ended: bool,
    failed: bool,
}

impl RequestTap {
    pub(super) fn new(worker: Arc<Worker>) -> Arc<Self> {
        let capture = BodyCapture::new(worker.settings.capture.request_bytes);
        Arc::new(Self { worker, state: Mutex::new(TapState { capture, ended: false, failed: false }) })
    }

    /// Bytes that passed so far.
    pub(super) fn seen(&self) -> u64 {
        self.lock().capture.seen()
    }

    /// Whether the client broke the body off.
    pub(super) fn has_failed(&self) -> bool {
        self.lock().failed
    }

    /// The copy, as far as it is.
    pub(super) fn finish(&self) -> CapturedBody {
        let mut state = self.lock();
        let whole = state.ended;
        std::mem::replace(&mut state.capture, BodyCapture::new(0)).finish(whole)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, TapState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request's body on its way to the upstream.
pub(super) struct RequestBody {
    streaming: Option<Streaming>,
}

struct Streaming {
    incoming: Incoming,
    first: Option<Bytes>,
    tap: Arc<RequestTap>,
}

impl RequestBody {
    /// No body.
    pub(super) const fn empty() -> Self {
        Self { streaming: None }
    }

    /// A body as it comes from the client.
    pub(super) fn streaming(incoming: Incoming, tap: Arc<RequestTap>) -> Self {
        Self { streaming: Some(Streaming { incoming, first: None, tap }) }
    }

    /// Fetches what came in the same packet as the head, so that both leave in one as well. Waits one turn of the
    /// task for it, not for the network.
    pub(super) async fn fetch_first(&mut self) {
        let Some(streaming) = &mut self.streaming else { return };
        let mut turns = 0;
        let first = std::future::poll_fn(|context| match streaming.poll_incoming(context) {
            Poll::Ready(Some(Ok(frame))) => Poll::Ready(frame.into_data().ok()),
            Poll::Ready(_) => Poll::Ready(None),
            Poll::Pending if turns == 1 => Poll::Ready(None),
            Poll::Pending => {
                turns += 1;
                context.waker().wake_by_ref();
                Poll::Pending
            }
        })
        .await;
        streaming.first = first;
    }
}

impl Streaming {
    fn poll_incoming(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let expected = self.incoming.size_hint().exact();
        let frame = std::task::ready!(Pin::new(&mut self.incoming).poll_frame(context));
        let mut state = self.tap.lock();
        match &frame {
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    let worker = &self.tap.worker;
                    worker.counters.request_bytes.add(data.len() as u64);
                    state.capture.extend(data, expected, &worker.budget, &worker.counters);
                }
                state.ended = self.incoming.is_end_stream();
            }
            Some(Err(_)) => state.failed = true,
            None => state.ended = true,
        }
        drop(state);
        Poll::Ready(frame)
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(streaming) = &mut self.streaming else { return Poll::Ready(None) };
        match streaming.first.take() {
            Some(first) => Poll::Ready(Some(Ok(Frame::data(first)))),
            None => streaming.poll_incoming(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.streaming {
            Some(streaming) => streaming.first.is_none() && streaming.incoming.is_end_stream(),
            None => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        let Some(streaming) = &self.streaming else { return SizeHint::with_exact(0) };
        let first = streaming.first.as_ref().map_or(0, |first| first.len() as u64);
        match streaming.incoming.size_hint().exact() {
            Some(rest) => SizeHint::with_exact(rest + first),
            None => SizeHint::default(),
        }
    }
}

/// A response's body on its way to the client. Ends the recording, and gives the upstream connection back.
pub(super) struct ResponseBody {
    kind: Kind,
    recording: Option<Recording>,
    /// How the upstream broke off, to be told in the next turn.
    broken: Option<hyper::Error>,
}

enum Kind {
    /// The proxy's own answer, or nothing.
    Own(Bytes),
    Streaming {
        incoming: Incoming,
        /// Until the body is over.
        link: Option<Box<Link>>,
    },
}

impl ResponseBody {
    /// The proxy's own answer. The recording, if there is one, ends when hyper is done with it.
    pub(super) fn own(bytes: impl Into<Bytes>, recording: Option<Recording>) -> Self {
        Self { kind: Kind::Own(bytes.into()), recording, broken: None }
    }

    /// A body as it comes over `link`.
    pub(super) fn streaming(incoming: Incoming, link: Box<Link>, recording: Recording) -> Self {
        let over = incoming.is_end_stream();
        let kind = Kind::Streaming { incoming, link: Some(link) };
        let mut body = Self { kind, recording: Some(recording), broken: None };
        if over {
            body.complete();
        }
        body
    }

    /// The upstream broke off. hyper forgets what it has not written yet when a body fails, so it hears of the failure
    /// one turn later: the client gets what there is.
    fn broke_off(&mut self, error: hyper::Error) {
        if let Kind::Streaming { link, .. } = &mut self.kind {
            *link = None;
        }
        if let Some(recording) = &mut self.recording {
            recording.worker().counters.upstream_broken_responses.add(1);
            recording.upstream_failed();
        }
        self.broken = Some(error);
    }

    /// The body is over: the connection may serve others.
    fn complete(&mut self) {
        let Some(recording) = &mut self.recording else { return };
        if let Kind::Streaming { link, .. } = &mut self.kind
            && let Some(link) = link.take()
        {
            recording.worker().pool.give_back(link);
        }
        recording.complete();
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = &mut *self;
        let (incoming, link) = match &mut this.kind {
            Kind::Own(bytes) if bytes.is_empty() => return Poll::Ready(None),
            Kind::Own(bytes) => return Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Kind::Streaming { link: None, .. } => return Poll::Ready(this.broken.take().map(Err)),
            Kind::Streaming { incoming, link: Some(link), .. } => (incoming, link),
        };
        let expected = incoming.size_hint().exact();
        let frame = std::task::ready!(link.drive(context, |silent| Pin::new(&mut *incoming).poll_frame(silent)));
        let over = incoming.is_end_stream();
        match &frame {
            Some(Ok(frame)) => {
                if let (Some(data), Some(recording)) = (frame.data_ref(), &mut this.recording) {
                    recording.response_data(data, expected);
                }
                if over {
                    this.complete();
                }
            }
            None => this.complete(),
            Some(Err(_)) => {}
        }
        match frame {
            Some(Err(error)) => {
                this.broke_off(error);
                context.waker().wake_by_ref();
                Poll::Pending
            }
            frame => Poll::Ready(frame),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Own(bytes) => bytes.is_empty(),
            Kind::Streaming { link, .. } => link.is_none() && self.broken.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Own(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Kind::Streaming { incoming, .. } => incoming.size_hint(),
        }
    }
}
