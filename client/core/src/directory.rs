//! The directory: finding officials, units and posts. What was seen is remembered, so that names show offline.

use crate::appointments::Claim;
use crate::http::query;
use crate::views::{HeldPostView, OfficialView, OfficialsView, PostView, PostsView};
use crate::{Client, ClientError, Platform, Store, Transport, keys};
use pakawaaz_base::{OfficialId, OrgUnitId, PostId};
use pakawaaz_contract::directory::{Official, OfficialPage, OrgTree, Post, PostList};

impl<S: Store, T: Transport, P: Platform> Client<S, T, P> {
    /// Officials by name, post or unit, in English or Urdu. Who holds a post is verified, see
    /// [`crate::views::Standing`].
    ///
    /// # Errors
    /// Transport errors, [`ClientError::LoginRequired`].
    pub async fn find(&self, text: &str, limit: u32, after: Option<&str>) -> Result<OfficialsView, ClientError> {
        let mut path = format!("/v1/directory/officials?q={}&limit={limit}", query(text));
        if let Some(after) = after {
            path.push_str("&after=");
            path.push_str(&query(after));
        }
        let page: OfficialPage = self.get(&path).await?;
        let mut tx = self.db.tx();
        for official in &page.officials {
            tx.put(keys::official(official.official), official);
        }
        tx.commit().await?;
        Ok(OfficialsView { officials: self.official_views(page.officials).await?, next: page.next })
    }
    /// One official; remembered for offline display.
    ///
    /// # Errors
    /// As [`Client::find`].
    pub async fn official(&self, official: OfficialId) -> Result<OfficialView, ClientError> {
        let found = self.fetch_official(official).await?;
        self.official_views(vec![found]).await?.pop().ok_or(ClientError::BadAnswer)
    }
    async fn fetch_official(&self, official: OfficialId) -> Result<Official, ClientError> {
        let found: Official = self.get(&format!("/v1/directory/officials/{official}")).await?;
        let mut tx = self.db.tx();
        tx.put(keys::official(official), &found);
        tx.commit().await?;
        Ok(found)
    }
    /// One official as remembered; none when never seen.
    ///
    /// # Errors
    /// Store errors.
    pub async fn known_official(&self, official: OfficialId) -> Result<Option<Official>, ClientError> {
        self.db.get(&keys::official(official)).await
    }
    /// One official as remembered, judged by what this device knows; none when never seen.
    ///
    /// # Errors
    /// Store errors; transport errors when an appointment's signer was never seen.
    pub async fn remembered_official(&self, official: OfficialId) -> Result<Option<OfficialView>, ClientError> {
        match self.known_official(official).await? {
            Some(known) => Ok(self.official_views(vec![known]).await?.pop()),
            None => Ok(None),
        }
    }
    /// Asks the directory about those of `officials` that were never seen. Names are for display only, so a
    /// directory that does not answer changes nothing.
    pub(crate) async fn learn_names(&self, officials: impl IntoIterator<Item = OfficialId>) {
        for official in officials {
            if matches!(self.known_official(official).await, Ok(None)) && self.fetch_official(official).await.is_err() {
                return;
            }
        }
    }
    /// The organisation tree, parents before children.
    ///
    /// # Errors
    /// As [`Client::find`].
    pub async fn units(&self) -> Result<OrgTree, ClientError> {
        self.get("/v1/directory/units").await
    }
    /// Posts of a unit; who holds them is verified.
    ///
    /// # Errors
    /// As [`Client::find`].
    pub async fn posts(&self, unit: OrgUnitId) -> Result<PostsView, ClientError> {
        let list: PostList = self.get(&format!("/v1/directory/posts?unit={unit}")).await?;
        Ok(PostsView { posts: self.post_views(list.posts).await? })
    }
    /// One post; who holds it is verified.
    ///
    /// # Errors
    /// As [`Client::find`].
    pub async fn one_post(&self, post: PostId) -> Result<PostView, ClientError> {
        let found: Post = self.get(&format!("/v1/directory/posts/{post}")).await?;
        if found.post != post {
            return Err(ClientError::BadAnswer);
        }
        self.post_views(vec![found]).await?.pop().ok_or(ClientError::BadAnswer)
    }

    async fn official_views(&self, officials: Vec<Official>) -> Result<Vec<OfficialView>, ClientError> {
        let claims: Vec<_> = officials
            .iter()
            .flat_map(|o| o.posts.iter().map(|p| (o.official, p)))
            .map(|(official, p)| Claim { post: p.post, holder: Some(official), appointment: p.appointment.as_ref() })
            .collect();
        let mut standings = self.weigh(&claims).await?.into_iter();
        let mut views = Vec::with_capacity(officials.len());
        for official in officials {
            let mut posts = Vec::with_capacity(official.posts.len());
            for post in official.posts {
                let (kind, until) = post.appointment.map(|a| (a.kind, a.not_after)).unzip();
                let standing = standings.next().ok_or(ClientError::BadAnswer)?;
                let (title, units, grade) = (post.title, post.units, post.grade);
                posts.push(HeldPostView { post: post.post, title, units, grade, kind, until, standing });
            }
            let (username, name, rank) = (official.username, official.name, official.rank);
            views.push(OfficialView { official: official.official, username, name, rank, posts });
        }
        Ok(views)
    }

    async fn post_views(&self, posts: Vec<Post>) -> Result<Vec<PostView>, ClientError> {
        let claims: Vec<_> = posts
            .iter()
            .map(|p| Claim { post: p.post, holder: p.holder, appointment: p.appointment.as_ref() })
            .collect();
        let standings = self.weigh(&claims).await?;
        let view = |(post, standing): (Post, _)| {
            let held = post.holder.and(post.appointment.as_ref());
            PostView {
                post: post.post,
                unit: post.unit,
                kind: held.map(|a| a.kind),
                until: held.map(|a| a.not_after),
                standing: post.holder.map(|_| standing),
                title: post.title,
                grade: post.grade,
                holder: post.holder,
                held_since: post.held_since,
            }
        };
        Ok(posts.into_iter().zip(standings).map(view).collect())
    }
}
