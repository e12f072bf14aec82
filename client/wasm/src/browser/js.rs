//! Small bridges to JavaScript.

use js_sys::WebAssembly::Memory;
use js_sys::{Function, Uint8Array};
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &Function, milliseconds: f64) -> f64;
    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(id: f64);
}

/// Longest timeout of a browser (2^31 - 1 ms).
const LONGEST: f64 = 2_147_483_647.0;

struct Timeout {
    id: f64,
    fired: Rc<Cell<bool>>,
    _callback: Closure<dyn FnMut()>,
}

impl Drop for Timeout {
    fn drop(&mut self) {
        if !self.fired.get() {
            clear_timeout(self.id);
        }
    }
}

/// Waits. Dropping the future takes the timer back.
pub async fn sleep(duration: Duration) {
    let (sender, receiver) = futures::channel::oneshot::channel();
    let fired = Rc::new(Cell::new(false));
    let (mut sender, seen) = (Some(sender), fired.clone());
    let callback = Closure::<dyn FnMut()>::new(move || {
        seen.set(true);
        if let Some(sender) = sender.take() {
            let _ = sender.send(());
        }
    });
    let milliseconds = (duration.as_secs_f64() * 1000.0).min(LONGEST);
    let id = set_timeout(callback.as_ref().unchecked_ref(), milliseconds);
    let _timeout = Timeout { id, fired, _callback: callback };
    let _ = receiver.await;
}

/// A property of the global object (`navigator`, `crypto`), which is another one in a page than in a worker.
pub fn global(name: &str) -> Result<JsValue, JsValue> {
    get(&js_sys::global(), name)
}

/// A property.
pub fn get(object: &JsValue, name: &str) -> Result<JsValue, JsValue> {
    js_sys::Reflect::get(object, &name.into())
}

/// Calls a method, and waits if it answers with a promise.
pub async fn invoke(object: &JsValue, name: &str, args: &[JsValue]) -> Result<JsValue, JsValue> {
    let method: Function = get(object, name)?.dyn_into()?;
    let answer = method.apply(object, &args.iter().collect())?;
    match answer.dyn_into::<js_sys::Promise>() {
        Ok(promise) => wasm_bindgen_futures::JsFuture::from(promise).await,
        Err(answer) => Ok(answer),
    }
}

/// `{ NAME: value }`.
pub fn object(name: &str, value: impl Into<JsValue>) -> JsValue {
    let made = js_sys::Object::new();
    // A fresh plain object takes any property.
    let _ = js_sys::Reflect::set(&made, &name.into(), &value.into());
    made.into()
}

/// These bytes where they are, without a copy, for a call that has used them when it returns. Make it last: whatever is
/// allocated after it may move the memory.
pub fn view(bytes: &[u8]) -> Uint8Array {
    let memory: Memory = wasm_bindgen::memory().unchecked_into();
    // An address of wasm32 is a number of JavaScript.
    let (from, length) = (bytes.as_ptr() as u32, bytes.len() as u32);
    // Making it may have moved the memory already; the second time there is nothing left to grow for.
    for _ in 0..2 {
        let made = Uint8Array::new_with_byte_offset_and_length(&memory.buffer(), from, length);
        if made.length() == length {
            return made;
        }
    }
    Uint8Array::from(bytes)
}

/// The bytes of a buffer.
pub fn bytes(buffer: &JsValue) -> Vec<u8> {
    Uint8Array::new(buffer).to_vec()
}

/// The name of an exception (`AbortError`), all of it that may be logged.
pub fn error_name(error: &JsValue) -> String {
    get(error, "name").ok().and_then(|n| n.as_string()).unwrap_or_default()
}
