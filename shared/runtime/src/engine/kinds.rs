use std::future::Future;

use placet_core::item::{Child, Hold, Kind, Pointer};

use super::Engine;
use super::again::Again;
use super::birth::{self, Later, Parent};
use super::memory::Memory;
use super::step::Stepper;
use super::work::Work;

/// A list of kinds, each with its work: `(Operation, (Receipt, (Delivery, ())))`.
///
/// A worker owns its list. The list implements `Kinds<W>` only if the worker `W` implements [`Work`] for each
/// kind in it, so a kind without its work does not compile. A test puts its own kind in front.
///
/// ```compile_fail,E0277
/// use placet_core::delivery::Delivery;
/// use placet_runtime::engine::Kinds;
///
/// #[derive(Clone)]
/// struct Forgetful; // This type implements `Work` for no kind.
///
/// fn worker<W, List: Kinds<W>>() {}
/// worker::<Forgetful, (Delivery, ())>();
/// ```
pub trait Kinds<W>: Send + Sync + 'static {
    /// Steps the item of a pointer, after waiting for enough `memory`. `All` is the whole list, for the
    /// children of the item.
    fn step<All: Kinds<W>>(
        engine: &Engine,
        worker: &W,
        hold: Hold,
        memory: &Memory,
        pointer: &Pointer,
    ) -> impl Future<Output = Result<(), Again>> + Send;

    /// Creates a pending child. Returns its first attempt if that still runs.
    fn birth(
        engine: &Engine,
        worker: &W,
        hold: Hold,
        parent: &Parent,
        child: &Child,
    ) -> impl Future<Output = Result<Option<Later>, Again>> + Send;
}

/// The end of a list. An item whose kind is not in the list needs another release; otherwise its message goes
/// to the dead-letter queue.
impl<W: Send + Sync + 'static> Kinds<W> for () {
    async fn step<All: Kinds<W>>(
        _: &Engine,
        _: &W,
        _: Hold,
        _: &Memory,
        pointer: &Pointer,
    ) -> Result<(), Again> {
        Err(unknown(&pointer.kind))
    }

    async fn birth(
        _: &Engine,
        _: &W,
        _: Hold,
        _: &Parent,
        child: &Child,
    ) -> Result<Option<Later>, Again> {
        Err(unknown(&child.kind))
    }
}

fn unknown(kind: &str) -> Again {
    Again::Unreadable(format!("this worker does not know the kind {kind}"))
}

impl<W: Work<K>, K: Kind, Rest: Kinds<W>> Kinds<W> for (K, Rest) {
    async fn step<All: Kinds<W>>(
        engine: &Engine,
        worker: &W,
        hold: Hold,
        memory: &Memory,
        pointer: &Pointer,
    ) -> Result<(), Again> {
        if pointer.kind == K::NAME {
            Stepper::<K, W, All>::new(engine, worker, hold, memory).run(pointer).await
        } else {
            Rest::step::<All>(engine, worker, hold, memory, pointer).await
        }
    }

    async fn birth(
        engine: &Engine,
        worker: &W,
        hold: Hold,
        parent: &Parent,
        child: &Child,
    ) -> Result<Option<Later>, Again> {
        if child.kind == K::NAME {
            birth::birth::<K, W>(engine, worker, hold, parent, child).await
        } else {
            Rest::birth(engine, worker, hold, parent, child).await
        }
    }
}
