//! Questions of operators, and what has to be asked or ended because of them.

use super::{Ask, Core, UePage, UeWithTraffic};
use crate::model::traces::TraceId;
use crate::runner::reports::Question;
use crate::runner::traces::EndedTrace;
use pakawaaz_control_plane::identifiers::Imsi;
use pakawaaz_control_plane::io::{Command, Input, Output};
use pakawaaz_control_plane::views::UeView;
use pakawaaz_user_plane::allow_list::{MAX_NETWORKS, MAX_RULES};
use pakawaaz_user_plane::rules::{Allowed, SessionRef};
use tokio::sync::oneshot;
use tokio::time::Instant;

impl Core {
    pub(super) fn ask(&mut self, ask: Ask) -> Option<oneshot::Sender<()>> {
        match ask {
            Ask::Command(command, done) => {
                if let Command::Revoke { imsi } = &command {
                    let (imsi, now) = (*imsi, self.now());
                    self.cuts.cut(imsi, self.asked, now);
                }
                self.handle(Input::Command(command));
                return Some(done);
            }
            Ask::Ues(question) => self.question(question),
            Ask::Registered(imsi, reply) => {
                let _ = reply.send(self.plane.ue(&imsi).is_some());
            }
            Ask::Cards { after, limit, reply } => {
                let mut cards: Vec<Imsi> =
                    self.plane.ues().map(|ue| ue.imsi).filter(|imsi| after.is_none_or(|after| *imsi > after)).collect();
                cards.sort_unstable();
                cards.truncate(limit);
                let _ = reply.send(cards);
            }
            Ask::Gnbs(reply) => {
                let _ = reply.send((self.plane.gnbs().collect(), self.plane.overload()));
            }
            Ask::AllowLists(reply) => {
                let _ = reply.send(self.linked.then(|| self.allowed.clone()));
            }
            Ask::RaiseAlarm { kind, object, problem } => self.raise(kind, &object, problem),
            Ask::ClearAlarm(id, reply) => {
                let now = self.now();
                let cleared = self.alarms.clear_by_id(id, now);
                let found = cleared.is_some();
                self.rows.extend(cleared);
                // Whoever is told so looks at the database next.
                let (done, durable) = oneshot::channel();
                tokio::spawn(async move {
                    if durable.await.is_ok() {
                        let _ = reply.send(found);
                    }
                });
                return Some(done);
            }
            Ask::TraceFits(imsi, reply) => {
                let _ = reply.send(self.traces.fits(&imsi));
            }
            Ask::TraceOn(imsi, id, reply) => {
                let now = self.now();
                // The same phone anew.
                if let Some(before) = self.traces.end(&imsi, now) {
                    self.trace_ended(before, imsi, "another one has begun");
                }
                let begun = self.traces.begin(imsi, id, now);
                if begun {
                    self.handle(Input::Command(Command::Trace { imsi, on: true }));
                }
                let _ = reply.send(self.traces.get(&imsi).filter(|_| begun).cloned());
            }
            Ask::TraceOff(imsi, reply) => {
                let now = self.now();
                let went_on = self.traces.end(&imsi, now);
                self.handle(Input::Command(Command::Trace { imsi, on: false }));
                let _ = reply.send(went_on);
            }
            Ask::Trace(imsi, reply) => {
                let _ = reply.send(self.traces.get(&imsi).cloned());
            }
            Ask::Traces(reply) => {
                let all = self.traces.all();
                let _ = reply.send(all.into_iter().map(|(imsi, trace)| (imsi, trace.clone())).collect());
            }
        }
        None
    }

    /// One more part of what the user plane allows.
    pub(super) fn is_allowed(&mut self, part: Allowed) {
        let same = self.allowed.last().is_some_and(|last| last.dnn == part.dnn);
        if !same && self.allowed.len() < MAX_NETWORKS {
            self.allowed.push(part);
        } else if same
            && let Some(last) = self.allowed.last_mut()
            && last.allow.len() < MAX_RULES
        {
            last.allow.extend(part.allow);
        }
    }

    /// Asks the user plane first, so that figures are of now.
    fn question(&mut self, question: Question) {
        let Question { only, after, limit, .. } = &question;
        let page = self.page(*only, *after, *limit);
        let sessions: Vec<SessionRef> =
            page.ues.iter().flat_map(|one| one.ue.sessions.iter().map(|session| session.reference)).collect();
        if sessions.is_empty() || !self.linked {
            let _ = question.reply.send(page);
            return;
        }
        match self.reports.wait(question, &sessions, Instant::now()) {
            Ok(requests) => self.outputs.extend(requests.into_iter().map(Output::UserPlane)),
            Err(question) => {
                let _ = question.reply.send(page);
            }
        }
    }

    pub(super) fn answer_page(&mut self, question: Question) {
        let Question { only, after, limit, reply } = question;
        // Whoever asked may have gone.
        if !reply.is_closed() {
            let _ = reply.send(self.page(only, after, limit));
        }
    }

    pub(super) fn late_reports(&mut self) {
        for question in self.reports.late(Instant::now()) {
            self.answer_page(question);
        }
    }

    /// An hour is enough.
    pub(super) fn end_traces(&mut self) {
        let now = self.now();
        for (imsi, id) in self.traces.expire(now) {
            self.handle(Input::Command(Command::Trace { imsi, on: false }));
            tracing::info!("a trace has ended by itself");
            self.trace_ended(id, imsi, "an hour is over");
        }
    }

    /// The core ends, and with it what goes on.
    pub(super) fn forget_traces(&mut self) {
        let all = self.traces.all().into_iter();
        let going: Vec<(Imsi, TraceId)> =
            all.filter(|(_, trace)| trace.on).map(|(imsi, trace)| (imsi, trace.id)).collect();
        going.into_iter().for_each(|(imsi, id)| self.trace_ended(id, imsi, "the core has ended"));
    }

    fn trace_ended(&mut self, id: TraceId, imsi: Imsi, because: &'static str) {
        let (at, messages) = (self.now(), self.traces.get(&imsi).map(|trace| trace.entries.len()));
        self.ended_traces.push(EndedTrace { id, imsi, at, because, messages });
    }

    fn page(&self, only: Option<Imsi>, after: Option<Imsi>, limit: usize) -> UePage {
        let mut ues: Vec<UeView> = match only {
            Some(imsi) => self.plane.ue(&imsi).into_iter().collect(),
            None => self.plane.ues().filter(|ue| after.is_none_or(|after| ue.imsi > after)).collect(),
        };
        ues.sort_unstable_by_key(|ue| ue.imsi);
        let more = ues.len() > limit;
        ues.truncate(limit);
        let with_traffic = |ue: UeView| {
            let usage = |session: SessionRef| self.usage.get(&session).copied().unwrap_or_default();
            let traffic = ue.sessions.iter().map(|session| usage(session.reference)).collect();
            UeWithTraffic { ue, traffic }
        };
        UePage { ues: ues.into_iter().map(with_traffic).collect(), more }
    }
}
