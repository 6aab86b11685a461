//! Compression of items. A write unit of DynamoDB is 1 KB, and most of an item is names and texts that every
//! other item has, too. So the JSON is compressed with a sample item as the dictionary. Text from the sample
//! then takes almost no space.

use std::cell::RefCell;
use std::io;
use std::sync::LazyLock;

use zstd::bulk::{Compressor, Decompressor};
use zstd::dict::{DecoderDictionary, EncoderDictionary};
use zstd::zstd_safe::get_frame_content_size;

/// The sample, which is the dictionary. It must never change, because stored items can be read only with it.
/// A new sample needs a new attribute name.
const SAMPLE: &[u8] = include_bytes!("sample1.json");

/// The zstd level. Higher levels hardly shrink a text of a few KB further: level 9 saves 6 % and takes three
/// times as long.
const LEVEL: i32 = 3;

/// A size in bytes that no item reaches, with its specification (200 KB) and all other data.
const LARGEST: usize = 4 * 1024 * 1024;

static ENCODER: LazyLock<EncoderDictionary<'static>> =
    LazyLock::new(|| EncoderDictionary::copy(SAMPLE, LEVEL));
static DECODER: LazyLock<DecoderDictionary<'static>> =
    LazyLock::new(|| DecoderDictionary::copy(SAMPLE));

thread_local! {
    /// The cached compressor. A new one for each item would take a third longer.
    static COMPRESSOR: RefCell<Option<Compressor<'static>>> = const { RefCell::new(None) };
}

/// Compresses a text together with bytes.
///
/// # Errors
///
/// If there is not enough memory.
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

/// The uncompressed size of the text and the bytes together; 0 if the data is damaged.
pub(super) fn size(packed: &[u8]) -> usize {
    let size = get_frame_content_size(packed).ok().flatten();
    size.and_then(|size| usize::try_from(size).ok()).unwrap_or_default()
}

/// The text and the bytes; `None` if the data is damaged, or larger than 4 MiB.
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
        fn packed_data_unpacks_unchanged(
            text in prop::collection::vec(any::<u8>(), 0..3000),
            bytes in prop::collection::vec(any::<u8>(), 0..1000),
        ) {
            prop_assert_eq!(unpack(&pack(&text, &bytes).unwrap()), Some((text, bytes)));
        }

        #[test]
        fn unpacking_random_bytes_does_not_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = unpack(&bytes);
        }
    }

    #[test]
    fn truncated_data_is_damaged() {
        let packed = pack(br#"{"project":"default"}"#, b"x").unwrap();
        assert_eq!(unpack(&packed[..packed.len() - 1]), None);
    }
}
