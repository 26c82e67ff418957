//! What clients send, however it is cut, and what no client should.
#![allow(clippy::unwrap_used, reason = "in a test it is how to fail")]

use std::future::poll_fn;

use tokio::io::ReadBuf;

use super::*;

const MAX: usize = 1 << 20;

/// A stream that gives so many bytes at a time, and at the end nothing for ever.
struct Stretches {
    bytes: Vec<u8>,
    at: usize,
    length: usize,
}

impl AsyncRead for Stretches {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.at == self.bytes.len() {
            return Poll::Pending;
        }
        let end = self.at + self.length.min(into.remaining());
        let end = end.min(self.bytes.len());
        into.put_slice(&self.bytes[self.at..end]);
        self.at = end;
        Poll::Ready(Ok(()))
    }
}

/// `first` is the first byte: flags and opcode.
fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [1, 20, 100, 255];
    let mut frame = vec![first];
    match payload.len() {
        length @ 0..126 => frame.push(0x80 | length as u8),
        length @ 126..65_536 => {
            frame.push(0x80 | 126);
            frame.extend((length as u16).to_be_bytes());
        }
        length => {
            frame.push(0x80 | 127);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    frame.extend(mask);
    let masked = payload.iter().zip(mask.iter().cycle());
    frame.extend(masked.map(|(byte, mask)| byte ^ mask));
    frame
}

/// All that comes of these bytes, cut into stretches of this length.
async fn read(bytes: &[u8], length: usize) -> (FrameReader, Vec<Incoming>, Option<Fault>) {
    let mut reader = FrameReader::new(MAX);
    let mut stream = Stretches {
        bytes: bytes.to_vec(),
        at: 0,
        length,
    };
    let mut all = Vec::new();
    let fault = poll_fn(|cx| {
        loop {
            match reader.poll_next(cx, &mut stream) {
                Poll::Ready(Ok(Some(incoming))) => all.push(incoming),
                Poll::Ready(Ok(None)) => panic!("it goes on"),
                Poll::Ready(Err(fault)) => return Poll::Ready(Some(fault)),
                Poll::Pending => return Poll::Ready(None),
            }
        }
    })
    .await;
    (reader, all, fault)
}

fn noise(length: usize) -> Vec<u8> {
    (0..length).map(|i| (i * i % 251) as u8).collect()
}

#[tokio::test]
async fn messages_arrive_however_they_are_cut() {
    let long = noise(300_000);
    let frames = [
        frame(0x82, b"whole"),
        frame(0x89, b"there?"),
        frame(0x82, b""),
        frame(0x02, &long[..70_000]),
        frame(0x8A, b"yes"),
        frame(0x00, &long[70_000..70_001]),
        frame(0x00, b""),
        frame(0x89, b""),
        frame(0x80, &long[70_001..]),
        frame(0x82, &long),
        frame(0x81, "tëxt".as_bytes()),
        frame(0x88, &[3, 0xE8]),
    ];
    let expected = [
        Incoming::Binary(Bytes::from_static(b"whole")),
        Incoming::Ping(Bytes::from_static(b"there?")),
        Incoming::Binary(Bytes::new()),
        Incoming::Pong(Bytes::from_static(b"yes")),
        Incoming::Ping(Bytes::new()),
        Incoming::Binary(long.clone().into()),
        Incoming::Binary(long.clone().into()),
        Incoming::Text("tëxt".to_owned()),
        Incoming::Close(CloseCode::from_wire(1000)),
    ];
    for length in [1, 7, 4096, 65_536, usize::MAX] {
        let (reader, all, fault) = read(&frames.concat(), length).await;
        assert!(fault.is_none(), "{fault:?}");
        assert_eq!(all, expected, "stretches of {length}");
        assert_eq!(reader.unfinished(), 0);
    }
}

#[tokio::test]
async fn nothing_is_kept_of_what_was_handed_on() {
    // The lengths that make a buffer double each time it is used again.
    let mut bytes = Vec::new();
    for doubling in 13..20 {
        bytes.extend(frame(0x82, &noise((1 << doubling) + 500)));
    }
    bytes.extend(frame(0x02, &noise(600_000)));
    bytes.extend(frame(0x80, &noise(100_000)));
    let whole = bytes.len();
    // And the start of the next one right behind.
    bytes.extend(&frame(0x82, b"the next")[..9]);
    for length in [100, usize::MAX] {
        let (reader, all, _) = read(&bytes, length).await;
        assert_eq!(all.len(), 8);
        assert_eq!(reader.ahead.capacity(), 0);
        assert!(reader.message.capacity() <= 8, "that of the next one");
        assert_eq!(reader.unfinished(), (bytes.len() - whole) as u64);
    }
}

#[tokio::test]
async fn a_header_takes_no_more_than_what_came_vouches_for() {
    let message = frame(0x82, &noise(MAX));
    for come in [20, 10_000, 100_000, 400_000] {
        let (reader, _, _) = read(&message[..come], usize::MAX).await;
        assert!(reader.message.capacity() <= TRUSTED.max(4 * come));
        assert_eq!(reader.unfinished(), come as u64);
    }
    let (_, all, _) = read(&message, 5000).await;
    assert_eq!(all, [Incoming::Binary(noise(MAX).into())]);
}

#[tokio::test]
async fn what_is_no_websocket_is_a_fault() {
    let unmasked = vec![0x82, 1, 0];
    let faults: [(&str, Vec<u8>); 16] = [
        ("extension", frame(0xC2, b"x")),
        ("mask", unmasked),
        ("belong", frame(0x80, b"nothing to continue")),
        ("belong", [frame(0x02, b"x"), frame(0x82, b"y")].concat()),
        ("belong", frame(0x83, b"unknown")),
        ("belong", frame(0x8B, b"unknown")),
        ("parts", frame(0x09, b"x")),
        ("too long", frame(0x89, &[0; 126])),
        ("needs", vec![0x82, 0xFE, 0, 125, 0, 0, 0, 0]),
        ("needs", [&[0x82, 0xFF][..], &[0; 6], &[255; 6]].concat()),
        ("and 1048576", frame(0x82, &noise(MAX + 1))),
        ("and 1048576", [&[0x82, 0xFF][..], &[255; 12]].concat()),
        (
            "and 1048576",
            [frame(0x02, &noise(MAX)), frame(0x80, b"x")].concat(),
        ),
        ("half", frame(0x88, &[3])),
        ("means nothing", frame(0x88, &[3, 0xED])),
        ("UTF-8", frame(0x81, &[0xFF])),
    ];
    for (words, bytes) in faults {
        for length in [1, usize::MAX] {
            let (_, _, fault) = read(&bytes, length).await;
            let fault = fault.map(|fault| fault.to_string());
            assert!(
                fault.as_ref().is_some_and(|it| it.contains(words)),
                "{fault:?} instead of {words}"
            );
        }
    }
}

#[test]
fn any_bytes_are_messages_or_a_fault() {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.unwrap();
    arbtest::arbtest(|u| {
        let length = u.int_in_range(1..=100)?;
        let mut bytes = Vec::new();
        while !u.is_empty() {
            let payload = u.arbitrary::<&[u8]>()?;
            if u.ratio(1, 8)? {
                bytes.extend(payload);
            } else {
                bytes.extend(frame(
                    *u.choose(&[0x82, 0x02, 0x80, 0x00, 0x89, 0x88])?,
                    payload,
                ));
            }
        }
        let (reader, _, fault) = runtime.block_on(read(&bytes, length));
        assert!(fault.is_some() || reader.unfinished() <= bytes.len() as u64);
        Ok(())
    });
}
