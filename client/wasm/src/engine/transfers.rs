//! Transfers of files: what the screens ask for, and the tasks that run them.

use crate::engine::args::{Attach, Message, Transfer};
use crate::engine::commands::{Reply, nothing, parse, reply};
use crate::engine::error::Refusal;
use crate::engine::watch::Touch;
use crate::engine::{Engine, EngineError, Host};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pakawaaz_base::{GroupId, TransferId};
use pakawaaz_client::{Direction, NewFile, TransferState};
use pakawaaz_client::{Platform, Store, Transport};

impl<S: Store + 'static, T: Transport + 'static, P: Platform + 'static, H: Host> Engine<S, T, P, H> {
    pub(crate) async fn file_command(
        &self,
        name: &str,
        args: &str,
        files: Vec<H::Source>,
    ) -> Result<Reply<H::Blob>, EngineError> {
        let client = self.client();
        match name {
            "attach" => self.attach(parse(args)?, files).await,
            "provide_file" => {
                let Transfer { transfer } = parse(args)?;
                let group = self.group_of(transfer).await?;
                let file = files.into_iter().next().ok_or(Refusal::BadArguments)?;
                client.resume_transfer(transfer).await?;
                self.run_uploads(group, vec![(transfer, Some(file))]);
                nothing()
            }
            "pause_transfer" => {
                let Transfer { transfer } = parse(args)?;
                client.pause_transfer(transfer).await?;
                self.stale(Touch::Transfers);
                nothing()
            }
            "resume_transfer" => {
                let Transfer { transfer } = parse(args)?;
                client.resume_transfer(transfer).await?;
                self.resume_uploads().await?;
                nothing()
            }
            "cancel_transfer" => {
                let Transfer { transfer } = parse(args)?;
                client.cancel_transfer(transfer, self.0.host.spool()).await?;
                self.stale(Touch::Transfers);
                nothing()
            }
            // Not for screens: the tab sends it when nobody waits for a download any more.
            "cancel_download" => {
                let Message { group, message } = parse(args)?;
                let transfer = client.begin_download(group, message).await?;
                client.cancel_transfer(transfer, self.0.host.spool()).await?;
                self.stale(Touch::Transfers);
                nothing()
            }
            _ => self.fetch(parse(args)?).await,
        }
    }

    async fn group_of(&self, transfer: TransferId) -> Result<GroupId, EngineError> {
        let all = self.client().transfers().await?;
        let found = all.into_iter().find(|t| t.transfer == transfer && t.direction == Direction::Up);
        Ok(found.ok_or(Refusal::NotFound)?.group)
    }

    /// One transfer for each file. The words go with the first.
    async fn attach(&self, args: Attach, files: Vec<H::Source>) -> Result<Reply<H::Blob>, EngineError> {
        if files.is_empty() || files.len() != args.files.len() {
            return Err(Refusal::BadArguments.into());
        }
        let mut begun = Vec::new();
        let (mut caption, mut reply_to, mut mentions) = (args.caption, args.reply_to, args.mentions);
        for (described, source) in args.files.into_iter().zip(files) {
            let thumbnail = match &described.thumbnail {
                Some(text) => Some(STANDARD.decode(text).map_err(|_| Refusal::BadArguments)?),
                None => None,
            };
            let new = NewFile {
                name: described.name,
                media_type: described.media_type,
                size: described.size,
                caption: std::mem::take(&mut caption),
                reply_to: reply_to.take(),
                mentions: std::mem::take(&mut mentions),
                thumbnail,
                thumbnail_type: described.thumbnail_type,
                width: described.width,
                height: described.height,
                duration_ms: described.duration_ms,
            };
            begun.push((self.client().begin_upload(args.group, new).await?, Some(source)));
        }
        let transfers: Vec<TransferId> = begun.iter().map(|(transfer, _)| *transfer).collect();
        self.run_uploads(args.group, begun);
        reply(&serde_json::json!({ "transfers": transfers }))
    }

    /// Runs uploads one after the other: each has several chunks in flight already.
    fn run_uploads(&self, group: GroupId, uploads: Vec<(TransferId, Option<H::Source>)>) {
        let engine = self.clone();
        self.stale(Touch::Transfers);
        self.spawn(async move {
            for (transfer, source) in uploads {
                let hearing = engine.clone();
                let mut hear = move |event| hearing.hear(event);
                // How it ended is in the transfer's view, or in the conversation.
                let _ = engine.client().upload(transfer, source.as_ref(), engine.0.host.spool(), &mut hear).await;
                engine.stale(Touch::Transfers);
                engine.changed(group);
            }
        });
    }

    /// Lets every upload go on that nothing runs; the core leaves those alone that the official paused.
    pub(crate) async fn resume_uploads(&self) -> Result<(), EngineError> {
        for transfer in self.client().transfers().await? {
            let idle = matches!(transfer.state, TransferState::Paused | TransferState::NeedsFile);
            if transfer.direction == Direction::Up && idle {
                self.run_uploads(transfer.group, vec![(transfer.transfer, None)]);
            }
        }
        Ok(())
    }

    async fn fetch(&self, Message { group, message }: Message) -> Result<Reply<H::Blob>, EngineError> {
        let client = self.client();
        let transfer = client.begin_download(group, message).await?;
        // Asked for again is a wish to go on.
        client.resume_transfer(transfer).await?;
        let media_type = client.transfers().await?.into_iter().find(|t| t.transfer == transfer).map(|t| t.media_type);
        let mut sink = self.0.host.sink(media_type.as_deref().unwrap_or_default());
        self.stale(Touch::Transfers);
        let engine = self.clone();
        let mut hear = move |event| engine.hear(event);
        let done = client.download(transfer, &mut sink, &mut hear).await;
        self.stale(Touch::Transfers);
        done?;
        let Reply { json, .. }: Reply<H::Blob> = reply(&serde_json::json!({ "transfer": transfer }))?;
        Ok(Reply { json, blob: self.0.host.deliver(sink) })
    }
}
