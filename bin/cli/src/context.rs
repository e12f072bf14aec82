//! What every command needs: the profile, unlocked; names turned into ids.

use crate::args::{ConversationRef, Global, OfficialRef};
use crate::output::Output;
use crate::secrets;
use anyhow::{Context as _, bail};
use pakawaaz_base::{GroupId, OfficialId};
use pakawaaz_client::ClientError;
use pakawaaz_client::views::ConversationView;
use pakawaaz_client_native::profile::write_private;
use pakawaaz_client_native::{NativeClient, OpenProfile, SimFile};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

/// A command's surroundings.
pub struct Shell {
    pub global: Global,
    pub out: Output,
}

impl Shell {
    /// The profile folder: as told, or the user's own.
    pub fn profile_dir(&self) -> anyhow::Result<PathBuf> {
        if let Some(dir) = &self.global.profile {
            return Ok(dir.clone());
        }
        let base = std::env::var_os("XDG_DATA_HOME")
            .map(PathBuf::from)
            .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".local/share")))
            .context("no home folder; say --profile DIR")?;
        Ok(base.join("pakawaaz/default"))
    }

    /// Opens and unlocks the profile.
    pub async fn open(&self) -> anyhow::Result<OpenProfile> {
        let open = OpenProfile::open_with_phone(&self.profile_dir()?, self.global.phone_key.as_deref()).await?;
        let pin = secrets::read(self.global.pin_file.as_deref(), "PIN")?;
        open.client.unlock(&pin).await?;
        Ok(open)
    }

    /// Opens, unlocks and makes sure there is a session.
    pub async fn online(&self) -> anyhow::Result<OpenProfile> {
        let open = self.open().await?;
        open.client.ensure_session().await?;
        Ok(open)
    }

    /// The SIM: as told, else the one remembered at enrolment.
    pub fn sim(&self, profile: &Path) -> anyhow::Result<SimFile> {
        let path = match &self.global.sim {
            Some(path) => path.clone(),
            None => PathBuf::from(
                std::fs::read_to_string(profile.join("sim.path")).context("no SIM remembered; say --sim FILE")?.trim(),
            ),
        };
        Ok(SimFile::open(&path)?)
    }

    /// Remembers the SIM of a fresh enrolment.
    pub fn remember_sim(profile: &Path, sim: &SimFile) -> anyhow::Result<()> {
        let path = std::path::absolute(sim.path())?;
        let text = path.to_str().context("the SIM's path is not text")?;
        Ok(write_private(&profile.join("sim.path"), text.as_bytes())?)
    }

    /// The password, from its file or asked.
    pub fn password(&self) -> anyhow::Result<Zeroizing<String>> {
        secrets::read(self.global.password_file.as_deref(), "Password")
    }
}

/// An official as typed: an id, or a login name that the directory knows.
pub async fn official(client: &NativeClient, text: &str) -> anyhow::Result<OfficialId> {
    match OfficialRef::parse(text) {
        OfficialRef::Id(id) => Ok(id),
        OfficialRef::Username(name) => {
            let page = client.find(&name, 50, None).await?;
            match page.officials.iter().find(|o| o.username == name) {
                Some(found) => Ok(found.official),
                None => bail!("no official has this login name; try `pakawaaz find`"),
            }
        }
    }
}

/// Several officials as typed.
pub async fn officials(client: &NativeClient, texts: &[String]) -> anyhow::Result<Vec<OfficialId>> {
    let mut ids = Vec::with_capacity(texts.len());
    for text in texts {
        ids.push(official(client, text).await?);
    }
    Ok(ids)
}

/// A conversation as typed: an id, the start of one, its title, or the other official's login name.
pub async fn conversation(client: &NativeClient, text: &str) -> anyhow::Result<GroupId> {
    match known_conversation(client, text).await? {
        Some(group) => Ok(group),
        None => Err(anyhow::Error::new(ClientError::NoSuchConversation)
            .context("no such conversation; `pakawaaz conversations` lists them, `pakawaaz new` starts one")),
    }
}

/// The same; none when this device knows no such conversation.
pub async fn known_conversation(client: &NativeClient, text: &str) -> anyhow::Result<Option<GroupId>> {
    let all = client.conversations().await?;
    let text = match ConversationRef::parse(text) {
        ConversationRef::Id(id) => return Ok(all.iter().any(|c| c.group == id).then_some(id)),
        ConversationRef::Text(text) => text,
    };
    let mut found: Vec<&ConversationView> = all.iter().filter(|c| c.group.to_string().starts_with(&text)).collect();
    if found.is_empty() {
        found = all.iter().filter(|c| c.display().eq_ignore_ascii_case(&text)).collect();
    }
    if found.is_empty() {
        let other = other_official(client, &all, &text).await?;
        found = all.iter().filter(|c| c.direct && other.is_some_and(|o| c.members.contains(&o))).collect();
    }
    match found.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(one.group)),
        _ => bail!("several conversations match; give more of the id"),
    }
}

/// The official with this login name: from what this device knows of its conversations' members, else the directory.
async fn other_official(
    client: &NativeClient,
    all: &[ConversationView],
    username: &str,
) -> anyhow::Result<Option<OfficialId>> {
    for conversation in all.iter().filter(|c| c.direct) {
        let members = client.members(conversation.group).await?;
        if let Some(found) = members.iter().find(|m| !m.me && m.username.eq_ignore_ascii_case(username)) {
            return Ok(Some(found.official));
        }
    }
    match client.ensure_session().await {
        Ok(()) => Ok(client
            .find(username, 50, None)
            .await?
            .officials
            .iter()
            .find(|o| o.username == username)
            .map(|o| o.official)),
        Err(e) if e.is_temporary() => Ok(None),
        Err(e) => Err(e.into()),
    }
}

/// Names of officials for showing: as the directory says, else the id.
pub async fn names(client: &NativeClient, officials: &[OfficialId]) -> HashMap<OfficialId, String> {
    let mut names = HashMap::new();
    for official in officials {
        if !names.contains_key(official) {
            let name = client.official(*official).await.map(|o| format!("{} ({})", o.name.en, o.username));
            names.insert(*official, name.unwrap_or_else(|_| official.to_string()));
        }
    }
    names
}
