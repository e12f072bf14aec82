//! Who plays: the administrators, the newcomer, a colleague for a second terminal, and the officials who answer.

use crate::government::{Government, OfficialPlan};

/// Officials of a small demo.
const SMALL: usize = 48;

/// The roles. Numbers index [`Government::officials`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cast {
    /// The newcomer: a Section Officer.
    pub you: usize,
    /// For a second terminal: the Section Officer next door.
    pub colleague: usize,
    /// Whom to write to first: the assistant in the newcomer's section.
    pub suggested: usize,
    /// Who writes to the newcomer unasked: the Deputy Secretary above.
    pub greeter: usize,
    /// Who gets the first phone in the app: a neighbour of the newcomer without any device yet.
    pub phone: usize,
    /// Everybody who answers, the two above included.
    pub bots: Vec<usize>,
}

/// The administrators of the installation: login name and name. They hold no post.
pub const ADMINISTRATORS: [(&str, &str); 2] = [("admin.one", "Administrator One"), ("admin.two", "Administrator Two")];

impl Cast {
    /// Chooses from a plan; the same plan gives the same cast.
    pub fn of(plan: &Government, small: bool) -> Self {
        let after = |from: usize, title: &str| {
            let at = plan.officials[from..].iter().position(|o| o.title.en == title);
            from + at.expect("every section of the plan has every title")
        };
        let you = after(0, "Section Officer");
        let suggested = after(you, "Assistant");
        let colleague = after(you + 1, "Section Officer");
        let greeter = after(0, "Deputy Secretary");
        let mut bots = vec![suggested, greeter];
        if !small {
            bots.extend([after(0, "Joint Secretary"), after(0, "Additional Secretary"), after(0, "Secretary")]);
            bots.push(after(suggested, "Upper Division Clerk"));
            // One in each of four other ministries.
            let mut ministry = 0;
            for title in ["Secretary", "Additional Secretary", "Deputy Secretary", "Section Officer"] {
                ministry = after(ministry + 1, "Secretary");
                bots.push(after(ministry, title));
            }
        }
        let taken = |i: &usize| [you, colleague].contains(i) || bots.contains(i);
        let free = |near: bool| {
            let unit = plan.officials[you].unit;
            (0..plan.officials.len()).filter(|i| !taken(i)).find(|i| !near || plan.officials[*i].unit == unit)
        };
        let phone = free(true).or_else(|| free(false)).expect("more officials than players");
        Self { you, colleague, suggested, greeter, phone, bots }
    }

    /// Everybody who gets a device in the demo.
    pub fn members(&self) -> impl Iterator<Item = usize> + '_ {
        [self.you, self.colleague].into_iter().chain(self.bots.iter().copied())
    }
}

impl Government {
    /// The first few officials and the units they need.
    pub fn small() -> Self {
        let mut plan = Self::plan();
        plan.officials.truncate(SMALL);
        let last = plan.officials.iter().map(|o| o.unit).max().unwrap_or_default();
        plan.units.truncate(last + 1);
        plan
    }
}

impl OfficialPlan {
    /// Rank and name in English.
    pub fn full_name(&self) -> String {
        format!("{} {}", self.rank.en, self.name.en).trim().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn a_cast_of_different_people_who_can_talk_to_each_other() {
        for (plan, small, bots) in [(Government::plan(), false, 10), (Government::small(), true, 2)] {
            let cast = Cast::of(&plan, small);
            assert_eq!(cast.bots.len(), bots);
            let everybody: Vec<_> = cast.members().collect();
            assert_eq!(everybody.iter().collect::<HashSet<_>>().len(), everybody.len());
            let unit = |i: usize| plan.officials[i].unit;
            assert_eq!(unit(cast.you), unit(cast.suggested));
            assert_eq!(plan.units[unit(cast.you)].parent, Some(unit(cast.greeter)));
            assert_eq!(plan.units[unit(cast.you)].parent, plan.units[unit(cast.colleague)].parent);
            assert!(cast.bots.contains(&cast.suggested) && cast.bots.contains(&cast.greeter));
            assert!(!everybody.contains(&cast.phone), "the phone's owner has no device yet");
        }
    }

    #[test]
    fn the_small_cast_plays_the_same_roles_in_the_large_one() {
        let (small, large) = (Cast::of(&Government::small(), true), Cast::of(&Government::plan(), false));
        assert_eq!((small.you, small.colleague, small.greeter), (large.you, large.colleague, large.greeter));
        assert!(small.bots.iter().all(|b| large.bots.contains(b)));
    }
}
