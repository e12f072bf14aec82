//! Requests and transactions of IndexedDB as futures. A dropped future takes its event handlers with it.

use futures::channel::oneshot;
use js_sys::Reflect;
use pakawaaz_client::StoreError;
use wasm_bindgen::prelude::*;
use web_sys::{IdbRequest, IdbTransaction};

/// What a failure of IndexedDB means. Only the exception's name is kept: its text may quote keys.
pub(crate) fn failed(error: &JsValue) -> StoreError {
    let name = Reflect::get(error, &"name".into()).ok().and_then(|n| n.as_string()).unwrap_or_default();
    match name.as_str() {
        "QuotaExceededError" => StoreError::Full,
        "" => StoreError::Failed("indexeddb".into()),
        _ => StoreError::Failed(format!("indexeddb: {name}")),
    }
}

/// Event handlers of one request; removed when dropped, so that nothing calls a closure that is gone.
pub(crate) struct Handlers<'a> {
    request: &'a IdbRequest,
    _success: Closure<dyn FnMut()>,
    _error: Closure<dyn FnMut(web_sys::Event)>,
}

impl Drop for Handlers<'_> {
    fn drop(&mut self) {
        self.request.set_onsuccess(None);
        self.request.set_onerror(None);
    }
}

/// Calls `success` on every success event and sends the failure, if there is one, to the receiver's other end.
pub(crate) fn listen<'a>(
    request: &'a IdbRequest,
    success: Closure<dyn FnMut()>,
    mut fail: impl FnMut(StoreError) + 'static,
) -> Handlers<'a> {
    let source = request.clone();
    let error = Closure::<dyn FnMut(web_sys::Event)>::new(move |event: web_sys::Event| {
        // A handled error neither bubbles to the window nor is printed; the transaction aborts all the same.
        event.stop_propagation();
        let cause = source.error().ok().flatten();
        fail(cause.map_or(StoreError::Failed("indexeddb".into()), |e| failed(&e)));
    });
    request.set_onsuccess(Some(success.as_ref().unchecked_ref()));
    request.set_onerror(Some(error.as_ref().unchecked_ref()));
    Handlers { request, _success: success, _error: error }
}

/// The result of a request that succeeds once.
pub(crate) async fn result(request: &IdbRequest) -> Result<JsValue, StoreError> {
    let (sender, receiver) = oneshot::channel();
    let sender = std::rc::Rc::new(std::cell::RefCell::new(Some(sender)));
    let (done, source) = (sender.clone(), request.clone());
    let success = Closure::<dyn FnMut()>::new(move || {
        if let Some(sender) = done.borrow_mut().take() {
            let _ = sender.send(source.result().map_err(|e| failed(&e)));
        }
    });
    let _handlers = listen(request, success, move |error| {
        if let Some(sender) = sender.borrow_mut().take() {
            let _ = sender.send(Err(error));
        }
    });
    receiver.await.unwrap_or_else(|_| Err(StoreError::Failed("indexeddb".into())))
}

/// Waits until a transaction is durable, or says why it is not.
pub(crate) async fn complete(transaction: &IdbTransaction) -> Result<(), StoreError> {
    struct Guard<'a>(&'a IdbTransaction);
    impl Drop for Guard<'_> {
        fn drop(&mut self) {
            self.0.set_oncomplete(None);
            self.0.set_onabort(None);
        }
    }
    let (sender, receiver) = oneshot::channel();
    let sender = std::rc::Rc::new(std::cell::RefCell::new(Some(sender)));
    let done = sender.clone();
    let completed = Closure::<dyn FnMut()>::new(move || {
        if let Some(sender) = done.borrow_mut().take() {
            let _ = sender.send(Ok(()));
        }
    });
    let source = transaction.clone();
    let aborted = Closure::<dyn FnMut()>::new(move || {
        if let Some(sender) = sender.borrow_mut().take() {
            let cause = source.error();
            let _ = sender.send(Err(cause.map_or(StoreError::Failed("indexeddb: aborted".into()), |e| failed(&e))));
        }
    });
    let _guard = Guard(transaction);
    transaction.set_oncomplete(Some(completed.as_ref().unchecked_ref()));
    transaction.set_onabort(Some(aborted.as_ref().unchecked_ref()));
    receiver.await.unwrap_or_else(|_| Err(StoreError::Failed("indexeddb".into())))
}
