//! Operations, compressed. An item costs a write unit for each KB at every transition, and most of an
//! operation is names and texts that are the same in every other one. So they are compressed with a
//! sample of one as the dictionary: what is in the sample costs next to nothing.

use std::io;

use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::get_frame_content_size;

/// What operations are like. Never changed: what is stored can only be read with it. Another sample
/// needs another attribute.
const SAMPLE: &[u8] = include_bytes!("packed/sample1.json");

/// A level at which text of a few KB no longer gets smaller.
const LEVEL: i32 = 9;

/// More than an operation can be: its specification (200 KB) and everything else that is kept of it.
const LARGEST: usize = 4 * 1024 * 1024;

/// Compresses the JSON of an operation.
///
/// # Errors
///
/// If there is no memory for it.
pub fn pack(json: &[u8]) -> io::Result<Vec<u8>> {
    Compressor::with_dictionary(LEVEL, SAMPLE)?.compress(json)
}

/// The JSON of a compressed operation; `None` if it is damaged or too large to be one.
pub fn unpack(packed: &[u8]) -> Option<Vec<u8>> {
    let size = usize::try_from(get_frame_content_size(packed).ok()??).ok()?;
    let mut decompressor = Decompressor::with_dictionary(SAMPLE).ok()?;
    decompressor.decompress(packed, Some(size).filter(|size| *size <= LARGEST)?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_packed_comes_back(json in prop::collection::vec(any::<u8>(), 0..4000)) {
            prop_assert_eq!(unpack(&pack(&json).unwrap()), Some(json));
        }

        #[test]
        fn what_was_not_packed_here_is_refused_or_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = unpack(&bytes);
        }
    }

    #[test]
    fn a_cut_one_is_damaged() {
        let packed = pack(br#"{"tenant":"default"}"#).unwrap();
        assert_eq!(unpack(&packed[..packed.len() - 1]), None);
    }
}
