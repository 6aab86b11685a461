//! Rows, compressed. A write unit of DynamoDB is 1 KB, and most of an item is names and texts that are the
//! same in every other one. So the JSON is compressed with a sample as the dictionary: what stands in
//! the sample costs next to nothing.

use std::cell::RefCell;
use std::io;
use std::sync::LazyLock;

use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};
use zstd::zstd_safe::get_frame_content_size;

/// What items are like. It never changes: what is stored can only be read with it. Another sample needs
/// another attribute.
const SAMPLE: &[u8] = include_bytes!("sample1.json");

/// A level beyond which a text of a few KB gets hardly smaller: level 9 takes 6 % off and costs three times as much.
const LEVEL: i32 = 3;

/// More than an item can be: its specification (200 KB) and everything else that is kept of it.
const LARGEST: usize = 4 * 1024 * 1024;

static ENCODER: LazyLock<EncoderDictionary<'static>> =
    LazyLock::new(|| EncoderDictionary::copy(SAMPLE, LEVEL));
static DECODER: LazyLock<DecoderDictionary<'static>> =
    LazyLock::new(|| DecoderDictionary::copy(SAMPLE));

thread_local! {
    /// A new one for each item would cost a third more.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
}

/// Compresses a text and the bytes that go with it.
///
/// # Errors
///
/// If there is no memory for it.
pub fn pack(text: &[u8], bytes: &[u8]) -> io::Result<Vec<u8>> {
    let length = u32::try_from(text.len()).map_err(io::Error::other)?;
    let frame = [&length.to_le_bytes(), text, bytes].concat();
    COMPRESSOR.with_borrow_mut(|compressor| {
        let compressor = match compressor {
            Some(compressor) => compressor,
            none => none.insert(Compressor::with_prepared_dictionary(&ENCODER)?),
        };
        compressor.compress(&frame)
    })
}

/// How large the text and the bytes are together; 0 if they are damaged.
pub(super) fn size(packed: &[u8]) -> usize {
    let size = get_frame_content_size(packed).ok().flatten();
    size.and_then(|size| usize::try_from(size).ok()).unwrap_or_default()
}

/// The text and the bytes; `None` if they are damaged or too large to be an item.
pub fn unpack(packed: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let size = usize::try_from(get_frame_content_size(packed).ok()??).ok()?;
    let mut decompressor = Decompressor::with_prepared_dictionary(&DECODER).ok()?;
    let mut frame =
        decompressor.decompress(packed, Some(size).filter(|size| *size <= LARGEST)?).ok()?;
    let (length, _) = frame.split_first_chunk()?;
    let end = usize::try_from(u32::from_le_bytes(*length)).ok()?.checked_add(4)?;
    let bytes = frame.get(end..)?.to_vec();
    frame.truncate(end);
    frame.drain(..4);
    Some((frame, bytes))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_packed_comes_back(
            text in prop::collection::vec(any::<u8>(), 0..3000),
            bytes in prop::collection::vec(any::<u8>(), 0..1000),
        ) {
            prop_assert_eq!(unpack(&pack(&text, &bytes).unwrap()), Some((text, bytes)));
        }

        #[test]
        fn what_was_not_packed_here_is_refused_or_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = unpack(&bytes);
        }
    }

    #[test]
    fn a_cut_one_is_damaged() {
        let packed = pack(br#"{"project":"default"}"#, b"x").unwrap();
        assert_eq!(unpack(&packed[..packed.len() - 1]), None);
    }
}
