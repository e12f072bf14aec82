//! The key in a PKCS#11 module. It is made there and cannot be read by anybody: this process asks the module to open each
//! card's secrets, and has those in memory for as long as one answer takes.

use super::{Cipher, NONCE};
use crate::config::KeyConfig;
use anyhow::{Context as _, Result, bail, ensure};
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::aead::GcmParams;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;
use pakawaaz_sim_vault::WrapError;
use rand::RngCore as _;
use rand::rngs::OsRng;
use std::sync::{Mutex, PoisonError};
use zeroize::Zeroizing;

const TAG_BITS: u64 = 128;

/// A key on a token. Every thread that works at a time has a session of its own.
pub struct Token {
    module: Pkcs11,
    slot: Slot,
    pin: AuthPin,
    label: Vec<u8>,
    id: [u8; 8],
    idle: Mutex<Vec<Open>>,
}

struct Open {
    session: Session,
    key: ObjectHandle,
}

impl Token {
    /// Finds token and key.
    ///
    /// # Errors
    /// Says what is missing.
    pub fn open(config: &KeyConfig) -> Result<Self> {
        let (module, slot, pin) = reach(config)?;
        let mut token =
            Self { module, slot, pin, label: config.label.clone().into_bytes(), id: [0; 8], idle: Mutex::default() };
        let open = token.session().context("opening a session with the token (key.pin_file holds its user PIN)")?;
        let Some(open) = open else { bail!("the token has no key {:?} (key.label); `init` makes it", config.label) };
        let name = open.session.get_attributes(open.key, &[AttributeType::Id]).context("reading the key's name")?;
        let Some(Attribute::Id(name)) = name.first() else { bail!("the key has no name (CKA_ID)") };
        token.id = name.as_slice().try_into().ok().context("the key's name (CKA_ID) was not given by `init`")?;
        // The login belongs to the process and lasts as long as one session.
        token.idle().push(open);
        Ok(token)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Open>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A session that is logged in, with the key; none when there is no such key.
    fn session(&self) -> Result<Option<Open>, Error> {
        let session = self.module.open_ro_session(self.slot)?;
        log_in(&session, &self.pin)?;
        let key = find(&session, &self.label)?;
        Ok(key.map(|key| Open { session, key }))
    }

    /// Works with a session; when that fails, once more with a new one: modules forget sessions when they restart.
    fn with<T>(&self, work: impl Fn(&Open) -> Result<T, Error>) -> Result<T, WrapError> {
        let idle = self.idle().pop();
        if let Some(open) = idle
            && let Ok(done) = work(&open)
        {
            self.idle().push(open);
            return Ok(done);
        }
        let down = |error: Error| {
            tracing::error!(%error, "the module does not answer");
            WrapError::Down
        };
        let open = self.session().map_err(down)?.ok_or(WrapError::Down)?;
        let done = work(&open);
        // What a session that works does not open, is not ours.
        let done = done.map_err(|error| if is_refusal(&error) { WrapError::NotOurs } else { down(error) });
        self.idle().push(open);
        done
    }
}

/// Codes that modules give for a tag that does not fit.
fn is_refusal(error: &Error) -> bool {
    use RvError::{DataInvalid, EncryptedDataInvalid, EncryptedDataLenRange, GeneralError};
    matches!(error, Error::Pkcs11(DataInvalid | EncryptedDataInvalid | EncryptedDataLenRange | GeneralError, _))
}

fn log_in(session: &Session, pin: &AuthPin) -> Result<(), Error> {
    match session.login(UserType::User, Some(pin)) {
        Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(()),
        other => other,
    }
}

/// The module, the token of the configured label, and its PIN.
fn reach(config: &KeyConfig) -> Result<(Pkcs11, Slot, AuthPin)> {
    let shown = config.module.display();
    let pin = std::fs::read_to_string(&config.pin_file)
        .with_context(|| format!("{} (key.pin_file)", config.pin_file.display()))?;
    let pin = Zeroizing::new(pin);
    let module = Pkcs11::new(&config.module).with_context(|| format!("loading {shown} (key.module)"))?;
    module
        .initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK))
        .with_context(|| format!("starting {shown} (key.module)"))?;
    for slot in module.get_slots_with_initialized_token().context("looking for tokens")? {
        if module.get_token_info(slot).is_ok_and(|info| info.label() == config.token) {
            return Ok((module, slot, AuthPin::from(pin.trim_end_matches(['\r', '\n']).to_owned())));
        }
    }
    bail!("{shown} has no token {:?} (key.token)", config.token)
}

fn find(session: &Session, label: &[u8]) -> Result<Option<ObjectHandle>, Error> {
    let wanted = [
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::AES),
        Attribute::Token(true),
        Attribute::Label(label.to_vec()),
    ];
    Ok(session.find_objects(&wanted)?.first().copied())
}

/// Makes a key on the token that never leaves it, and says its name.
pub(super) fn make(config: &KeyConfig) -> Result<[u8; 8]> {
    let (module, slot, pin) = reach(config)?;
    let session = module.open_rw_session(slot).context("opening a session with the token")?;
    log_in(&session, &pin).context("logging in to the token (key.pin_file holds its user PIN)")?;
    let label = config.label.clone().into_bytes();
    ensure!(find(&session, &label)?.is_none(), "the token has a key {:?} already (key.label)", config.label);
    let mut id = [0; 8];
    OsRng.fill_bytes(&mut id);
    let template = [
        Attribute::Token(true),
        Attribute::Private(true),
        Attribute::Sensitive(true),
        Attribute::Extractable(false),
        Attribute::Encrypt(true),
        Attribute::Decrypt(true),
        Attribute::Wrap(false),
        Attribute::Unwrap(false),
        Attribute::ValueLen(32.into()),
        Attribute::Label(label),
        Attribute::Id(id.to_vec()),
    ];
    session.generate_key(&Mechanism::AesKeyGen, &template).context("making the key")?;
    Ok(id)
}

impl Cipher for Token {
    fn id(&self) -> [u8; 8] {
        self.id
    }

    fn is_software(&self) -> bool {
        false
    }

    fn encrypt(&self, nonce: &[u8; NONCE], data: &[u8], plaintext: &[u8]) -> Result<Vec<u8>, WrapError> {
        let done = self.with(|open| {
            let mut nonce = *nonce;
            let params = GcmParams::new(&mut nonce, data, TAG_BITS.into())?;
            open.session.encrypt(&Mechanism::AesGcm(params), open.key, plaintext)
        });
        done.map_err(|_| WrapError::Down)
    }

    fn decrypt(&self, nonce: &[u8; NONCE], data: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, WrapError> {
        self.with(|open| {
            let mut nonce = *nonce;
            let params = GcmParams::new(&mut nonce, data, TAG_BITS.into())?;
            open.session.decrypt(&Mechanism::AesGcm(params), open.key, sealed).map(Zeroizing::new)
        })
    }
}
