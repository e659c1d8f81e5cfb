//! Which threads go first when there are more of them than cores.

/// Puts the calling thread behind those that forward traffic (Linux; elsewhere nothing happens). Everything that is
/// not on the way of a request calls this when it starts, so that analysis, store and console take what traffic leaves
/// of a busy machine. A thread that is started by one that is behind is so, too.
pub fn behind_traffic() {
    #[cfg(target_os = "linux")]
    {
        // A third of the share of an ordinary thread; never more than the process was given. A machine that forbids it
        // runs as well.
        let this = Some(rustix::thread::gettid());
        if rustix::process::getpriority_process(this).is_ok_and(|now| now < 5) {
            let _ = rustix::process::setpriority_process(this, 5);
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn only_the_calling_thread_is_put_behind() {
        let priority = || rustix::process::getpriority_process(Some(rustix::thread::gettid())).unwrap();
        let before = priority();
        std::thread::spawn(move || {
            behind_traffic();
            assert_eq!(priority(), before.max(5));
        })
        .join()
        .unwrap();
        assert_eq!(priority(), before);
    }
}
