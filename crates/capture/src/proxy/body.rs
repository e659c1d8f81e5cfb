//! The two bodies of an exchange on their way through, each leaving a bounded copy behind.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::Version;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use threadline_model::CapturedBody;

use super::capture::BodyCapture;
use super::http2::Pace;
use super::lazy_timer::LazyTimer;
use super::recording::Recording;
use super::upstream::{Link, LinkError, SendFraming};
use super::worker::Worker;

/// What is known of a request's body while it is on its way; shared by the body and the recording.
pub(super) struct RequestTap {
    worker: Arc<Worker>,
    /// Whether the body is one stream of HTTP/2, which nothing else watches over: neither its end nor its pace.
    multiplexed: bool,
    state: Mutex<TapState>,
}

struct TapState {
    capture: BodyCapture,
    ended: bool,
    /// Runs while the body of a stream is waited for.
    stall: LazyTimer,
    timed_out: bool,
}

/// The client broke its body off, or was too slow.
#[derive(Debug)]
pub(super) struct BrokenOff;

impl RequestTap {
    /// Of a request that came with `version`.
    pub(super) fn new(worker: Arc<Worker>, version: Version) -> Arc<Self> {
        let wanted = worker.sink.wants_exchanges();
        let capture = BodyCapture::new(if wanted { worker.settings.capture.request_bytes } else { 0 });
        let state = TapState { capture, ended: false, stall: LazyTimer::default(), timed_out: false };
        Arc::new(Self { worker, multiplexed: version == Version::HTTP_2, state: Mutex::new(state) })
    }

    /// Whether the body was given up because nothing of it came for too long.
    pub(super) fn timed_out(&self) -> bool {
        self.lock().timed_out
    }

    /// Nothing came: ready once that has been so for too long.
    fn poll_stall(&self, context: &mut Context<'_>) -> Poll<()> {
        if !self.multiplexed {
            return Poll::Pending;
        }
        let mut state = self.lock();
        if !state.stall.is_set() {
            state.stall.set(self.worker.settings.timeouts.stall);
        }
        ready!(state.stall.poll(context));
        state.timed_out = true;
        Poll::Ready(())
    }

    /// Bytes that passed so far.
    pub(super) fn seen(&self) -> u64 {
        self.lock().capture.seen()
    }

    /// The exchange is a long one.
    pub(super) fn settle(&self) {
        self.lock().capture.settle(&self.worker.counters);
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
pub(super) struct RequestBody(Option<(Incoming, Arc<RequestTap>)>);

impl RequestBody {
    /// No body.
    pub(super) const fn empty() -> Self {
        Self(None)
    }

    /// A body as it comes from the client.
    pub(super) const fn streaming(incoming: Incoming, tap: Arc<RequestTap>) -> Self {
        Self(Some((incoming, tap)))
    }

    /// How it is to be delimited on the way to the upstream.
    pub(super) fn framing(&self) -> SendFraming {
        match self.0.as_ref().map(|(incoming, _)| incoming.size_hint().exact()) {
            None | Some(Some(0)) => SendFraming::None,
            Some(Some(length)) => SendFraming::Length(length),
            Some(None) => SendFraming::Chunked,
        }
    }

    /// Whether it is known that nothing more will come.
    pub(super) fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(|(incoming, _)| incoming.is_end_stream())
    }

    /// The next part; none at the end.
    pub(super) fn poll_frame(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        let Some((incoming, tap)) = &mut self.0 else { return Poll::Ready(None) };
        let expected = incoming.size_hint().exact();
        let Poll::Ready(frame) = Pin::new(&mut *incoming).poll_frame(context) else {
            return tap.poll_stall(context).map(|()| Some(Err(BrokenOff)));
        };
        let mut state = tap.lock();
        state.stall.clear();
        Poll::Ready(match frame {
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    let worker = &tap.worker;
                    worker.counters.request_bytes.add(data.len() as u64);
                    state.capture.extend(data, expected, &worker.budget, &worker.counters);
                }
                state.ended = incoming.is_end_stream();
                Some(Ok(frame))
            }
            Some(Err(_)) => Some(Err(BrokenOff)),
            // hyper takes a stream that was reset with NO_ERROR for one that ended.
            None if tap.multiplexed && !incoming.is_end_stream() => Some(Err(BrokenOff)),
            None => {
                state.ended = true;
                None
            }
        })
    }
}

/// A response's body on its way to the client. Ends the recording, and gives the upstream connection back.
pub(super) struct ResponseBody {
    kind: Kind,
    recording: Option<Recording>,
    /// How the upstream broke off, to be told in the next turn.
    broken: Option<LinkError>,
    /// Of an HTTP/2 stream.
    pace: Option<Arc<Pace>>,
}

enum Kind {
    /// The proxy's own answer, or nothing.
    Own(Bytes),
    /// Until the body is over.
    Streaming(Option<Box<Link>>),
}

impl ResponseBody {
    /// The proxy's own answer. The recording, if there is one, ends when hyper is done with it.
    pub(super) fn own(bytes: impl Into<Bytes>, recording: Option<Recording>) -> Self {
        Self { kind: Kind::Own(bytes.into()), recording, broken: None, pace: None }
    }

    /// The body of the response that `link` has received the head of.
    pub(super) fn streaming(link: Box<Link>, recording: Recording, pace: Option<Arc<Pace>>) -> Self {
        let over = link.is_over();
        if let Some(pace) = &pace {
            pace.handed_over();
        }
        let mut body = Self { kind: Kind::Streaming(Some(link)), recording: Some(recording), broken: None, pace };
        if over {
            body.complete();
        }
        body
    }

    /// The upstream broke off. hyper forgets what it has not written yet when a body fails, so it hears of the failure
    /// one turn later: the client gets what there is.
    fn broke_off(&mut self, error: LinkError) {
        if let Kind::Streaming(link) = &mut self.kind {
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
        if let Kind::Streaming(link) = &mut self.kind
            && let Some(link) = link.take()
        {
            recording.worker().pool.give_back(link);
        }
        recording.complete();
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = LinkError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, LinkError>>> {
        let this = &mut *self;
        let link = match &mut this.kind {
            Kind::Own(bytes) if bytes.is_empty() => return Poll::Ready(None),
            Kind::Own(bytes) => return Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Kind::Streaming(None) => return Poll::Ready(this.broken.take().map(Err)),
            Kind::Streaming(Some(link)) => link,
        };
        let expected = link.exact_rest();
        let Poll::Ready(frame) = link.poll_frame(context) else {
            if let Some(recording) = &mut this.recording
                && let Some(deadline) = recording.becomes_long()
                && link.poll_deadline(deadline, context).is_ready()
            {
                recording.settle();
            }
            if let Some(pace) = &this.pace {
                pace.awaited();
            }
            return Poll::Pending;
        };
        let frame = match frame {
            Some(Ok(frame)) => frame,
            Some(Err(error)) => {
                this.broke_off(error);
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            None => {
                this.complete();
                return Poll::Ready(None);
            }
        };
        let over = link.is_over();
        if let Some(pace) = &this.pace {
            pace.handed_over();
        }
        if let (Some(data), Some(recording)) = (frame.data_ref(), &mut this.recording) {
            recording.response_data(data, expected);
        }
        if over {
            this.complete();
        }
        Poll::Ready(Some(Ok(frame)))
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Own(bytes) => bytes.is_empty(),
            Kind::Streaming(link) => link.is_none() && self.broken.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        let exact = match &self.kind {
            Kind::Own(bytes) => Some(bytes.len() as u64),
            Kind::Streaming(Some(link)) => link.exact_rest(),
            Kind::Streaming(None) => None,
        };
        exact.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}
