//! The part of the test server that holds files. Honest by itself; a test can have it fail or lie.

use pakawaaz_base::{DeviceId, FileId, Millis};
use pakawaaz_client::transport::{HttpRequest, Method};
use pakawaaz_contract::files::{
    ACCESS_HEADER, CompletedFile, CreateFileRequest, CreatedFile, FileState, received_bits,
};
use rand::rngs::OsRng;
use std::collections::BTreeMap;

type Answer = Result<Vec<u8>, (u16, &'static str)>;
/// Rewrites a chunk on its way to a device.
pub type ChunkLie = Box<dyn FnMut(&Files, FileId, u32, Vec<u8>) -> Vec<u8>>;

pub struct File {
    request: CreateFileRequest,
    owner: DeviceId,
    pub chunks: BTreeMap<u32, Vec<u8>>,
    pub complete: bool,
}

#[derive(Default)]
pub struct Files {
    pub files: BTreeMap<FileId, File>,
    /// Every chunk that ever arrived, stored or not.
    pub arrived: Vec<(FileId, u32, Vec<u8>)>,
    /// Every chunk that was asked for and given out.
    pub fetched: Vec<(FileId, u32)>,
    /// After so many more chunks, either way, this is the answer to everything.
    pub fail_after: Option<(u32, u16, &'static str)>,
    pub lie: Option<ChunkLie>,
}

fn json<T: serde::Serialize>(value: &T) -> Answer {
    Ok(serde_json::to_vec(value).unwrap())
}

impl Files {
    fn chunk_count(request: &CreateFileRequest) -> u32 {
        request.size.div_ceil(u64::from(request.chunk_size)) as u32
    }
    fn one_more(&mut self) -> Result<(), (u16, &'static str)> {
        match &mut self.fail_after {
            Some((0, status, code)) => Err((*status, *code)),
            Some((left, ..)) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    pub fn answer(&mut self, device: DeviceId, request: &HttpRequest, rest: &[&str]) -> Answer {
        let missing = (404, "files.not_found");
        match (request.method, rest) {
            (Method::Post, []) => {
                let new: CreateFileRequest = serde_json::from_slice(&request.body).unwrap();
                let known = self.files.iter().find(|(_, f)| f.request.access_hash == new.access_hash);
                let file = match known {
                    Some((_, f)) if f.complete => return Err((409, "files.already_announced")),
                    Some((id, _)) => *id,
                    None => FileId::new(Millis(1), &mut OsRng),
                };
                self.files.entry(file).or_insert(File {
                    request: new,
                    owner: device,
                    chunks: BTreeMap::new(),
                    complete: false,
                });
                json(&CreatedFile { file, expires_at: Millis(i64::MAX) })
            }
            (Method::Get, [id]) => {
                let id: FileId = id.parse().unwrap();
                let f = self.files.get(&id).filter(|f| f.owner == device).ok_or(missing)?;
                let chunks = Self::chunk_count(&f.request);
                json(&FileState {
                    file: id,
                    size: f.request.size,
                    chunk_size: f.request.chunk_size,
                    chunks,
                    received: received_bits(chunks, f.chunks.keys().copied()),
                    complete: f.complete,
                    expires_at: Millis(i64::MAX),
                })
            }
            (Method::Put, [id, "chunks", number]) => {
                let (id, number): (FileId, u32) = (id.parse().unwrap(), number.parse().unwrap());
                self.arrived.push((id, number, request.body.clone()));
                self.one_more()?;
                let f = self.files.get_mut(&id).filter(|f| f.owner == device).ok_or(missing)?;
                let known = f.chunks.entry(number).or_insert_with(|| request.body.clone());
                if *known == request.body { Ok(Vec::new()) } else { Err((409, "files.chunk_differs")) }
            }
            (Method::Post, [id, "complete"]) => {
                let f = self.files.get_mut(&id.parse().unwrap()).filter(|f| f.owner == device).ok_or(missing)?;
                if f.chunks.len() as u32 != Self::chunk_count(&f.request) {
                    return Err((409, "files.incomplete"));
                }
                f.complete = true;
                json(&CompletedFile { expires_at: Millis(i64::MAX) })
            }
            (Method::Get, [id, "chunks", number]) => {
                use base64::Engine as _;
                use sha2::Digest as _;
                let (id, number): (FileId, u32) = (id.parse().unwrap(), number.parse().unwrap());
                self.one_more()?;
                let f = self.files.get(&id).filter(|f| f.complete).ok_or(missing)?;
                let shown = request.headers.iter().find(|(name, _)| name == ACCESS_HEADER).ok_or(missing)?;
                let access = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(&shown.1).unwrap();
                if sha2::Sha256::digest(access).as_slice() != &*f.request.access_hash {
                    return Err(missing);
                }
                let chunk = f.chunks[&number].clone();
                self.fetched.push((id, number));
                match self.lie.take() {
                    Some(mut lie) => {
                        let told = lie(self, id, number, chunk);
                        self.lie = Some(lie);
                        Ok(told)
                    }
                    None => Ok(chunk),
                }
            }
            (Method::Delete, [id]) => {
                self.files.remove(&id.parse().unwrap()).ok_or(missing)?;
                Ok(Vec::new())
            }
            _ => Err((404, "http.not_found")),
        }
    }
}
