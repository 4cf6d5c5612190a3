//! Owns the relation "is written just as a T is", which lets stubs take borrowed arguments. It writes nothing.

use super::Encode;

/// A value whose bytes are those of some `T`.
///
/// Client stubs take `impl EncodeAs<T>`: an owned `T`, a `&T`, and for text and lists also `&str` and `&[U]`. There
/// is deliberately no way from `Option<&str>` to `Option<String>`, so that `None` needs no annotation.
///
/// It names no class of Java: for the same fields under another class name, see `flatten` at
/// [`Hessian`](derive@crate::Hessian).
pub trait EncodeAs<T: ?Sized>: Encode {}

impl<T: Encode> EncodeAs<T> for T {}

impl<T: Encode + ?Sized> EncodeAs<T> for &T {}

impl EncodeAs<String> for &str {}

impl<T: Encode> EncodeAs<Vec<T>> for &[T] {}

impl<T: Encode, const N: usize> EncodeAs<Vec<T>> for &[T; N] {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::to_vec;

    fn long(value: impl EncodeAs<i64>) -> Vec<u8> {
        to_vec(&value).unwrap()
    }

    fn optional(value: impl EncodeAs<Option<String>>) -> Vec<u8> {
        to_vec(&value).unwrap()
    }

    fn texts(value: impl EncodeAs<Vec<String>>) -> Vec<u8> {
        to_vec(&value).unwrap()
    }

    fn text(value: impl EncodeAs<String>) -> Vec<u8> {
        to_vec(&value).unwrap()
    }

    #[test]
    fn literals_none_and_empty_vectors_need_no_annotation() {
        assert_eq!(long(1), [0xe1]);
        assert_eq!(optional(None), [0x4e]);
        assert_eq!(optional(Some("a".into())), [1, b'a']);
        assert_eq!(texts(vec![]), [0x78]);
        assert_eq!(texts(&[]), [0x78]);
        assert_eq!(texts(vec!["a".into()]), [0x79, 1, b'a']);
    }

    #[test]
    fn borrowed_arguments_have_the_bytes_of_owned_ones() {
        let (owned, number) = (String::from("a"), &1);
        assert_eq!(long(number), long(*number));
        assert_eq!(text("a"), text(owned.clone()));
        assert_eq!(text(&owned), text(owned.clone()));
        let list = [owned];
        assert_eq!(texts(&list[..]), texts(list.to_vec()));
        assert_eq!(texts(&list), texts(list.to_vec()));
    }
}
