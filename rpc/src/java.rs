//! Java's view of a method: its parameter descriptor, put together at compile time.

pub use getty_hessian2::JavaType;

/// Length of the joined descriptor of these parameters.
pub const fn joined_len(parts: &[&str]) -> usize {
    let mut len = 0;
    let mut i = 0;
    while i < parts.len() {
        len += parts[i].len();
        i += 1;
    }
    len
}

/// The descriptors of all parameters, one after the other, as bytes. `N` must be [`joined_len`].
pub const fn join<const N: usize>(parts: &[&str]) -> [u8; N] {
    let mut joined = [0; N];
    let mut at = 0;
    let mut i = 0;
    while i < parts.len() {
        let part = parts[i].as_bytes();
        let mut j = 0;
        while j < part.len() {
            joined[at] = part[j];
            at += 1;
            j += 1;
        }
        i += 1;
    }
    joined
}

/// A joined descriptor as text.
///
/// # Panics
/// At compile time, where it is called, when that is no UTF-8; descriptors always are.
pub const fn text(joined: &[u8]) -> &str {
    match std::str::from_utf8(joined) {
        Ok(text) => text,
        Err(_) => panic!("a descriptor is UTF-8"),
    }
}

/// The parameters of a descriptor, each by itself; `None` when it is no descriptor, as odd peers send.
pub(crate) fn parameters(descriptor: &str) -> Option<Vec<&str>> {
    let mut rest = descriptor;
    let mut found = Vec::new();
    while !rest.is_empty() {
        let dimensions = rest.bytes().take_while(|b| *b == b'[').count();
        let length = match rest.as_bytes().get(dimensions)? {
            b'L' => rest.find(';')? + 1,
            b'Z' | b'B' | b'C' | b'S' | b'I' | b'J' | b'F' | b'D' | b'V' => dimensions + 1,
            _ => return None,
        };
        let (parameter, tail) = rest.split_at_checked(length)?;
        found.push(parameter);
        rest = tail;
    }
    Some(found)
}

/// What a parameter is by and large. Callers that guess descriptors from values get these right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Number,
    Bool,
    Text,
    Bytes,
    Other,
    /// Stands for anything: Java's Object, and `V`, which dubbo-go sends for nil.
    Any,
}

/// Whether a caller that describes its argument like this can mean that parameter. dubbo-go sends `J` for an `int`, an array for a
/// list, the class of the value for an interface.
pub(crate) fn may_mean(sent: &str, declared: &str) -> bool {
    let (sent, declared) = (sort(sent), sort(declared));
    sent == declared || sent == Sort::Any || declared == Sort::Any
}

fn sort(parameter: &str) -> Sort {
    match parameter {
        "B" | "S" | "I" | "J" | "F" | "D" => Sort::Number,
        "Ljava/lang/Byte;" | "Ljava/lang/Short;" | "Ljava/lang/Integer;" | "Ljava/lang/Long;" => Sort::Number,
        "Ljava/lang/Float;" | "Ljava/lang/Double;" | "Ljava/lang/Number;" => Sort::Number,
        "Z" | "Ljava/lang/Boolean;" => Sort::Bool,
        "C" | "Ljava/lang/Character;" | "Ljava/lang/String;" | "Ljava/lang/CharSequence;" => Sort::Text,
        "[B" => Sort::Bytes,
        "V" | "Ljava/lang/Object;" => Sort::Any,
        _ => Sort::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_taken_apart_as_java_does_it() {
        let cases: [(&str, &[&str]); 5] = [
            ("", &[]),
            ("I", &["I"]),
            ("[[I", &["[[I"]),
            ("Ljava/lang/String;[BJ", &["Ljava/lang/String;", "[B", "J"]),
            ("[Ljava/lang/String;Z", &["[Ljava/lang/String;", "Z"]),
        ];
        for (descriptor, expected) in cases {
            assert_eq!(parameters(descriptor).as_deref(), Some(expected), "{descriptor}");
        }
        for odd in ["Ljava/util/Date", "x", "[Lno", "[", "L"] {
            assert_eq!(parameters(odd), None, "{odd}");
        }
    }

    #[test]
    fn a_guess_may_differ_in_width_and_in_kind_of_list_but_not_in_sort() {
        for (sent, declared) in [
            ("J", "I"),
            ("Ljava/lang/Long;", "D"),
            ("V", "Ljava/lang/String;"),
            ("[Ljava/lang/Object;", "Ljava/util/List;"),
            ("Lcom/x/Admin;", "Lcom/x/User;"),
        ] {
            assert!(may_mean(sent, declared), "{sent} for {declared}");
        }
        for (sent, declared) in
            [("I", "Ljava/lang/String;"), ("Ljava/lang/String;", "I"), ("[B", "Ljava/util/List;")]
        {
            assert!(!may_mean(sent, declared), "{sent} for {declared}");
        }
    }

    #[test]
    fn descriptors_are_joined_at_compile_time() {
        const PARTS: &[&str] =
            &[<Option<i32> as JavaType>::DESCRIPTOR, i64::DESCRIPTOR, <Vec<u8> as JavaType>::DESCRIPTOR];
        const JOINED: [u8; joined_len(PARTS)] = join(PARTS);
        assert_eq!(&JOINED, b"Ljava/lang/Integer;J[B");
    }
}
