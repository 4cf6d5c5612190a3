//! Owns the bytes of a class definition as hessian-lite 4 writes them, so that they are one constant in the program.

use proc_macro2::{Literal, TokenStream};
use quote::quote;

/// An expression for `Class`.
pub(super) fn class(name: &str, fields: &[String], krate: &TokenStream) -> TokenStream {
    let definition = Literal::byte_string(&bytes(name, fields));
    quote!(#krate::Class::with_definition(#name, &[#(#fields),*], #definition))
}

/// Java's descriptor of a class.
pub(super) fn descriptor(class: &str) -> String {
    format!("L{};", class.replace('.', "/"))
}

fn bytes(name: &str, fields: &[String]) -> Vec<u8> {
    let mut out = vec![b'C'];
    string(name, &mut out);
    int(fields.len(), &mut out);
    fields.iter().for_each(|field| string(field, &mut out));
    out
}

/// Names are short: one chunk always does.
fn string(text: &str, out: &mut Vec<u8>) {
    let units: Vec<u16> = text.encode_utf16().collect();
    let [.., high, low] = units.len().to_be_bytes();
    match units.len() {
        0..=31 => out.push(low),
        32..=1023 => out.extend([0x30 | high, low]),
        _ => out.extend([b'S', high, low]),
    }
    for unit in units {
        let [a, b, c] =
            [0xe0 | unit >> 12, 0x80 | unit >> 6 & 0x3f, 0x80 | unit & 0x3f].map(|part| part as u8);
        match unit {
            0..0x80 => out.push(unit as u8),
            0x80..0x800 => out.extend([0xc0 | (unit >> 6) as u8, c]),
            _ => out.extend([a, b, c]),
        }
    }
}

fn int(value: usize, out: &mut Vec<u8>) {
    let [.., high, low] = value.to_be_bytes();
    match value {
        0..=47 => out.push(0x90 + low),
        48..=2047 => out.extend([0xc8 + high, low]),
        _ => out.extend([0xd4, high, low]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_has_the_bytes_that_java_writes() {
        let fields = ["age".to_owned(), "name".to_owned()];
        assert_eq!(bytes("com.example.vec.User", &fields), b"C\x14com.example.vec.User\x92\x03age\x04name");
        assert_eq!(bytes("A", &[]), b"C\x01A\x90");
        let name = "x".repeat(300);
        assert!(bytes(&name, &[]).starts_with(b"C\x31\x2cxxx"));
    }
}
