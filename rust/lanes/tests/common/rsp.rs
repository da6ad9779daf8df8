//! Files of published vectors: NIST's, and hexadecimal text.

/// The messages and digests of a file of NIST's Secure Hash Algorithm Validation System.
#[allow(dead_code, reason = "each test file uses a part of it")]
pub fn messages(file: &str) -> Vec<(Vec<u8>, Vec<u8>)> {
    let lengths = values(file, "Len").map(|bits| bits.parse::<usize>().expect("a length") / 8);
    let bytes = values(file, "Msg").map(unhex);
    let digests = values(file, "MD").map(unhex);
    lengths
        .zip(bytes)
        .zip(digests)
        .map(|((length, mut message), digest)| {
            // No message is written as one byte, which is not its own.
            message.truncate(length);
            assert_eq!(message.len(), length, "a message that is cut short");
            (message, digest)
        })
        .collect()
}

/// The values of all lines `name = value`.
pub fn values<'f>(file: &'f str, name: &str) -> impl Iterator<Item = &'f str> {
    file.lines().filter_map(move |line| {
        let (found, value) = line.split_once(" = ")?;
        (found == name).then_some(value)
    })
}

/// Bytes from hexadecimal text.
pub fn unhex(text: &str) -> Vec<u8> {
    let digit = |at| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal");
    (0..text.len()).step_by(2).map(digit).collect()
}
