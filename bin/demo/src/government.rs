//! A believable government to play in: ministries, divisions, wings, sections, posts and about 200 officials.
//!
//! Everything is made up and deterministic: the same seed gives the same people, so that screenshots, documentation
//! and tests agree. Names are common ones combined at random; any likeness is chance.

use pakawaaz_contract::directory::{BilingualName, UnitKind};

/// A unit to create; `parent` indexes an earlier entry of [`Government::units`].
#[derive(Debug, Clone)]
pub struct UnitPlan {
    /// Index of the parent.
    pub parent: Option<usize>,
    /// Kind.
    pub kind: UnitKind,
    /// Name.
    pub name: BilingualName,
}

/// An official and the post to hold.
#[derive(Debug, Clone)]
pub struct OfficialPlan {
    /// Login name, unique.
    pub username: String,
    /// Full name.
    pub name: BilingualName,
    /// Honorific.
    pub rank: BilingualName,
    /// Index of the unit.
    pub unit: usize,
    /// Title of the post.
    pub title: BilingualName,
    /// Basic pay scale.
    pub grade: u8,
}

/// The whole plan.
#[derive(Debug, Clone)]
pub struct Government {
    /// Parents before children.
    pub units: Vec<UnitPlan>,
    /// Officials, most senior unit first.
    pub officials: Vec<OfficialPlan>,
}

fn name(en: &str, ur: &str) -> BilingualName {
    BilingualName { en: en.into(), ur: ur.into() }
}

/// Ministry → its divisions, each with the subjects its wings deal with.
const MINISTRIES: &[(&str, &str, &[(&str, &str)])] = &[
    ("Ministry of Finance", "وزارتِ خزانہ", &[("Budget", "بجٹ"), ("Economic Affairs", "اقتصادی امور")]),
    (
        "Ministry of Interior",
        "وزارتِ داخلہ",
        &[("Internal Security", "داخلی سلامتی"), ("Narcotics Control", "انسدادِ منشیات")],
    ),
    ("Ministry of Foreign Affairs", "وزارتِ خارجہ", &[("Protocol", "پروٹوکول"), ("Asia", "ایشیا")]),
    ("Ministry of Health", "وزارتِ صحت", &[("Public Health", "صحتِ عامہ"), ("Drug Regulation", "ضابطۂ ادویات")]),
    (
        "Ministry of Information Technology",
        "وزارتِ انفارمیشن ٹیکنالوجی",
        &[("Digital Services", "ڈیجیٹل خدمات"), ("Telecommunication", "ٹیلی مواصلات")],
    ),
    ("Ministry of Water Resources", "وزارتِ آبی وسائل", &[("Dams", "ڈیم"), ("Irrigation", "آبپاشی")]),
];

const WINGS: &[(&str, &str)] = &[("Policy Wing", "پالیسی ونگ"), ("Administration Wing", "انتظامی ونگ")];
const SECTIONS: &[(&str, &str)] = &[("Section I", "سیکشن اول"), ("Section II", "سیکشن دوم")];

const FIRST: &[(&str, &str)] = &[
    ("Ayesha", "عائشہ"),
    ("Bilal", "بلال"),
    ("Fatima", "فاطمہ"),
    ("Hamza", "حمزہ"),
    ("Khadija", "خدیجہ"),
    ("Usman", "عثمان"),
    ("Maryam", "مریم"),
    ("Imran", "عمران"),
    ("Nadia", "نادیہ"),
    ("Salman", "سلمان"),
    ("Rabia", "رابعہ"),
    ("Tariq", "طارق"),
    ("Sana", "ثناء"),
    ("Kamran", "کامران"),
    ("Zainab", "زینب"),
    ("Asad", "اسد"),
    ("Hina", "حنا"),
    ("Junaid", "جنید"),
    ("Amna", "آمنہ"),
    ("Faisal", "فیصل"),
];
const LAST: &[(&str, &str)] = &[
    ("Siddiqui", "صدیقی"),
    ("Khan", "خان"),
    ("Qureshi", "قریشی"),
    ("Malik", "ملک"),
    ("Shah", "شاہ"),
    ("Baloch", "بلوچ"),
    ("Abbasi", "عباسی"),
    ("Chaudhry", "چوہدری"),
    ("Memon", "میمن"),
    ("Bhatti", "بھٹی"),
    ("Hashmi", "ہاشمی"),
    ("Rizvi", "رضوی"),
    ("Yousafzai", "یوسفزئی"),
    ("Mirza", "مرزا"),
    ("Gilani", "گیلانی"),
    ("Dar", "ڈار"),
    ("Awan", "اعوان"),
    ("Butt", "بٹ"),
    ("Soomro", "سومرو"),
    ("Afridi", "آفریدی"),
];

impl Government {
    /// The demo's government.
    pub fn plan() -> Self {
        let mut plan = Self { units: Vec::new(), officials: Vec::new() };
        let mut people = People::default();
        for (ministry_en, ministry_ur, divisions) in MINISTRIES {
            let ministry = plan.unit(None, UnitKind::Ministry, name(ministry_en, ministry_ur));
            plan.official(&mut people, ministry, "Secretary", "سیکرٹری", 22);
            plan.official(&mut people, ministry, "Staff Officer to Secretary", "اسٹاف افسر برائے سیکرٹری", 18);
            for (division_en, division_ur) in *divisions {
                let division = plan.unit(
                    Some(ministry),
                    UnitKind::Division,
                    name(&format!("{division_en} Division"), &format!("{division_ur} ڈویژن")),
                );
                plan.official(&mut people, division, "Additional Secretary", "ایڈیشنل سیکرٹری", 21);
                for (wing_en, wing_ur) in WINGS {
                    let wing = plan.unit(Some(division), UnitKind::Wing, name(wing_en, wing_ur));
                    plan.official(&mut people, wing, "Joint Secretary", "جوائنٹ سیکرٹری", 20);
                    plan.official(&mut people, wing, "Deputy Secretary", "ڈپٹی سیکرٹری", 19);
                    for (section_en, section_ur) in SECTIONS {
                        let section = plan.unit(Some(wing), UnitKind::Section, name(section_en, section_ur));
                        plan.official(&mut people, section, "Section Officer", "سیکشن افسر", 17);
                        plan.official(&mut people, section, "Assistant", "اسسٹنٹ", 15);
                        plan.official(&mut people, section, "Upper Division Clerk", "اپر ڈویژن کلرک", 11);
                    }
                }
            }
        }
        plan
    }

    fn unit(&mut self, parent: Option<usize>, kind: UnitKind, name: BilingualName) -> usize {
        self.units.push(UnitPlan { parent, kind, name });
        self.units.len() - 1
    }

    fn official(&mut self, people: &mut People, unit: usize, title_en: &str, title_ur: &str, grade: u8) {
        let (username, person) = people.next();
        let rank = match self.officials.len() % 9 {
            4 => name("Dr", "ڈاکٹر"),
            7 => name("Engr", "انجینئر"),
            _ => BilingualName::default(),
        };
        self.officials.push(OfficialPlan {
            username,
            name: person,
            rank,
            unit,
            title: name(title_en, title_ur),
            grade,
        });
    }
}

/// Walks every combination of first and last name once, in a scattered order.
#[derive(Default)]
struct People(usize);

impl People {
    fn next(&mut self) -> (String, BilingualName) {
        let i = self.0;
        self.0 += 1;
        // Each block of 20 pairs every first name with a different last name, shifted block by block.
        let (first_en, first_ur) = FIRST[i % FIRST.len()];
        let (last_en, last_ur) = LAST[(i * 7 + i / FIRST.len()) % LAST.len()];
        let username = format!("{}.{}", first_en.to_lowercase(), last_en.to_lowercase());
        (username, name(&format!("{first_en} {last_en}"), &format!("{first_ur} {last_ur}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn about_two_hundred_distinct_officials_in_a_proper_tree() {
        let plan = Government::plan();
        let usernames: HashSet<_> = plan.officials.iter().map(|o| &o.username).collect();
        assert_eq!(usernames.len(), plan.officials.len(), "usernames are unique");
        assert!((200..=240).contains(&plan.officials.len()), "{} officials", plan.officials.len());
        for (i, unit) in plan.units.iter().enumerate() {
            match unit.parent {
                None => assert_eq!(unit.kind, UnitKind::Ministry),
                Some(p) => {
                    assert!(p < i, "parents come first");
                    assert!(plan.units[p].kind < unit.kind, "kinds descend");
                }
            }
            assert!(!unit.name.ur.is_empty());
        }
        assert!(plan.officials.iter().all(|o| !o.name.ur.is_empty() && o.unit < plan.units.len()));
    }
}
