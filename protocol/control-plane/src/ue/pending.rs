//! Repeating NAS messages until their answer comes (TS 24.501 §10.2): four repetitions, then the procedure is given up.

use super::connection::{Expect, Pending};
use super::{Ue, configuration_update, context_release, deregistration, identity, registration, security_mode};
use crate::core::Cx;
use crate::timers::{Timer, UeTimer};
use oxirush_nas::nas_5gs::Nas5gsMessage;
use oxirush_ngap::ngap::{Cause, CauseNas};
use std::time::Duration;

/// The message and its four repetitions.
pub(crate) const ATTEMPTS: u8 = 5;

impl Cx<'_> {
    /// Sends a message and repeats it until `expect` is [`answered`](Cx::answered).
    pub(crate) fn expect(&mut self, ue: &mut Ue, message: &Nas5gsMessage, expect: Expect, every: Duration) {
        let Ok(plain) = message.encode() else { return self.count("control_plane.unencodable") };
        if ue.connection.as_ref().is_none_or(|connection| connection.releasing) {
            return;
        }
        self.put(ue, expect, &plain);
        self.await_answer(ue, plain, expect, every);
    }

    /// Repeats a message that has been sent already.
    pub(crate) fn await_answer(&mut self, ue: &mut Ue, plain: Vec<u8>, expect: Expect, every: Duration) {
        let timer = self.start(every, Timer::Ue(ue.key, UeTimer::Nas));
        let Some(connection) = ue.connection.as_deref_mut() else { return self.core.timers.stop(Some(timer)) };
        let before = connection.pending.replace(Pending { expect, plain, sent: 1, timer, every });
        self.core.timers.stop(before.map(|before| before.timer));
    }

    /// Every copy is protected anew: its COUNT is its own (§4.4.3.1).
    fn put(&mut self, ue: &mut Ue, expect: Expect, plain: &[u8]) {
        match expect {
            Expect::SecurityMode => security_mode::send(ue, self, plain),
            _ => self.nas(ue, plain),
        }
    }

    /// Sends the waiting message once more without counting it.
    pub(crate) fn repeat_now(&mut self, ue: &mut Ue) {
        let pending = ue.connection.as_ref().and_then(|connection| connection.pending.as_ref());
        if let Some((expect, plain)) = pending.map(|pending| (pending.expect, pending.plain.clone())) {
            self.put(ue, expect, &plain);
        }
    }
}

/// The timer has run out.
pub(crate) fn unanswered(ue: &mut Ue, cx: &mut Cx<'_>) {
    let key = ue.key;
    let Some(connection) = ue.connection.as_deref_mut() else { return };
    let Some(pending) = connection.pending.as_mut() else { return };
    if pending.sent < ATTEMPTS {
        pending.sent += 1;
        pending.timer = cx.start(pending.every, Timer::Ue(key, UeTimer::Nas));
        return cx.repeat_now(ue);
    }
    let expect = pending.expect;
    connection.pending = None;
    cx.count("control_plane.unanswered");
    match expect {
        Expect::Suci | Expect::Pei => identity::unanswered(ue, cx, expect),
        Expect::Authentication | Expect::SecurityMode => {
            registration::failed(ue, cx);
            context_release::command(ue, cx, Cause::nas(CauseNas::unspecified));
        }
        Expect::RegistrationComplete => registration::unacknowledged(ue, cx),
        Expect::ConfigurationComplete => configuration_update::unacknowledged(ue, cx),
        Expect::DeregistrationAccept => deregistration::over(ue, cx),
    }
}
