use arbitrary::Unstructured;

use super::*;

/// RFC 5769 §2.1.
const SAMPLE_REQUEST: [u8; 108] = [
    0x00, 0x01, 0x00, 0x58, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86,
    0xfa, 0x87, 0xdf, 0xae, 0x80, 0x22, 0x00, 0x10, 0x53, 0x54, 0x55, 0x4e, 0x20, 0x74, 0x65, 0x73,
    0x74, 0x20, 0x63, 0x6c, 0x69, 0x65, 0x6e, 0x74, 0x00, 0x24, 0x00, 0x04, 0x6e, 0x00, 0x01, 0xff,
    0x80, 0x29, 0x00, 0x08, 0x93, 0x2f, 0xf9, 0xb1, 0x51, 0x26, 0x3b, 0x36, 0x00, 0x06, 0x00, 0x09,
    0x65, 0x76, 0x74, 0x6a, 0x3a, 0x68, 0x36, 0x76, 0x59, 0x20, 0x20, 0x20, 0x00, 0x08, 0x00, 0x14,
    0x9a, 0xea, 0xa7, 0x0c, 0xbf, 0xd8, 0xcb, 0x56, 0x78, 0x1e, 0xf2, 0xb5, 0xb2, 0xd3, 0xf2, 0x49,
    0xc1, 0xb5, 0x71, 0xa2, 0x80, 0x28, 0x00, 0x04, 0xe5, 0x7a, 0x3b, 0xcf,
];

/// RFC 5769 §2.2.
const SAMPLE_IPV4_RESPONSE: [u8; 80] = [
    0x01, 0x01, 0x00, 0x3c, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86,
    0xfa, 0x87, 0xdf, 0xae, 0x80, 0x22, 0x00, 0x0b, 0x74, 0x65, 0x73, 0x74, 0x20, 0x76, 0x65, 0x63,
    0x74, 0x6f, 0x72, 0x20, 0x00, 0x20, 0x00, 0x08, 0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43,
    0x00, 0x08, 0x00, 0x14, 0x2b, 0x91, 0xf5, 0x99, 0xfd, 0x9e, 0x90, 0xc3, 0x8c, 0x74, 0x89, 0xf9,
    0x2a, 0xf9, 0xba, 0x53, 0xf0, 0x6b, 0xe7, 0xd7, 0x80, 0x28, 0x00, 0x04, 0xc0, 0x7d, 0x4c, 0x96,
];

/// RFC 5769 §2.3.
const SAMPLE_IPV6_RESPONSE: [u8; 92] = [
    0x01, 0x01, 0x00, 0x48, 0x21, 0x12, 0xa4, 0x42, 0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86,
    0xfa, 0x87, 0xdf, 0xae, 0x80, 0x22, 0x00, 0x0b, 0x74, 0x65, 0x73, 0x74, 0x20, 0x76, 0x65, 0x63,
    0x74, 0x6f, 0x72, 0x20, 0x00, 0x20, 0x00, 0x14, 0x00, 0x02, 0xa1, 0x47, 0x01, 0x13, 0xa9, 0xfa,
    0xa5, 0xd3, 0xf1, 0x79, 0xbc, 0x25, 0xf4, 0xb5, 0xbe, 0xd2, 0xb9, 0xd9, 0x00, 0x08, 0x00, 0x14,
    0xa3, 0x82, 0x95, 0x4e, 0x4b, 0xe6, 0x7b, 0xf1, 0x17, 0x84, 0xc9, 0x7c, 0x82, 0x92, 0xc2, 0x75,
    0xbf, 0xe3, 0xed, 0x41, 0x80, 0x28, 0x00, 0x04, 0xc8, 0xfb, 0x0b, 0x4c,
];

const TRANSACTION: Transaction = Transaction([
    0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae,
]);

fn mapped(address: &str, fingerprint: bool) -> Response {
    Response::Mapped {
        transaction: TRANSACTION,
        address: address.parse().unwrap(),
        fingerprint,
    }
}

#[test]
fn the_samples_of_rfc_5769_are_read() {
    let request = Request::decode(&SAMPLE_REQUEST).unwrap();
    let expected = Request {
        transaction: TRANSACTION,
        fingerprint: true,
        // PRIORITY is ICE's, and nothing that a STUN server alone knows.
        unknown: vec![0x0024],
    };
    assert_eq!(request, expected);
    for (sample, address) in [
        (&SAMPLE_IPV4_RESPONSE[..], "192.0.2.1:32853"),
        (
            &SAMPLE_IPV6_RESPONSE,
            "[2001:db8:1234:5678:11:2233:4455:6677]:32853",
        ),
    ] {
        assert_eq!(Response::decode(sample), Ok(mapped(address, true)));
    }
}

#[test]
fn a_changed_sample_is_refused() {
    for sample in [
        &SAMPLE_REQUEST[..],
        &SAMPLE_IPV4_RESPONSE,
        &SAMPLE_IPV6_RESPONSE,
    ] {
        // A fingerprint of another type is none.
        let kind = sample.len() - 8..sample.len() - 6;
        for at in (0..sample.len()).filter(|at| !kind.contains(at)) {
            let mut changed = sample.to_vec();
            changed[at] ^= 1;
            assert!(Request::decode(&changed).is_err() && Response::decode(&changed).is_err());
            assert!(Request::decode(&sample[..at]).is_err());
        }
    }
}

#[test]
fn messages_have_golden_bytes() {
    let request = |fingerprint| Request {
        transaction: TRANSACTION,
        fingerprint,
        unknown: Vec::new(),
    };
    let golden: [(Vec<u8>, &[u8]); 5] = [
        (request(false).encode(), b"\0\x01\0\0\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae"),
        (
            mapped("192.0.2.1:32853", false).encode(),
            b"\x01\x01\0\x0c\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae\0\x20\0\x08\0\x01\xa1\x47\xe1\x12\xa6\x43",
        ),
        (
            mapped("[2001:db8:1234:5678:11:2233:4455:6677]:32853", false).encode(),
            b"\x01\x01\0\x18\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae\0\x20\0\x14\0\x02\xa1\x47\x01\x13\xa9\xfa\xa5\xd3\xf1\x79\xbc\x25\xf4\xb5\xbe\xd2\xb9\xd9",
        ),
        (
            Response::Unknown { transaction: TRANSACTION, attributes: vec![0x24], fingerprint: false }.encode(),
            b"\x01\x11\0\x10\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae\0\x09\0\x04\0\0\x04\x14\0\x0a\0\x02\0\x24\0\0",
        ),
        (
            Response::Error { transaction: TRANSACTION, code: 500 }.encode(),
            b"\x01\x11\0\x08\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae\0\x09\0\x04\0\0\x05\0",
        ),
    ];
    for (written, bytes) in golden {
        assert_eq!(written, bytes);
    }
    let with = request(true).encode();
    assert_eq!(with.len(), 28);
    assert_eq!(Request::decode(&with), Ok(request(true)));
}

#[test]
fn a_request_is_answered_with_the_address_that_it_came_from() {
    let request = Request {
        transaction: TRANSACTION,
        fingerprint: true,
        unknown: Vec::new(),
    };
    let from = "[::ffff:192.0.2.1]:32853".parse().unwrap();
    assert_eq!(request.answer(from), mapped("192.0.2.1:32853", true));
    let asked = Request::decode(&SAMPLE_REQUEST).unwrap();
    let answer = asked.answer(from);
    assert_eq!(Response::decode(&answer.encode()), Ok(answer));
}

fn any_response(u: &mut Unstructured<'_>) -> arbitrary::Result<Response> {
    let transaction = Transaction(u.arbitrary()?);
    Ok(match u.int_in_range(0..=2_u8)? {
        0 => Response::Mapped {
            transaction,
            address: u.arbitrary()?,
            fingerprint: u.arbitrary()?,
        },
        1 => Response::Unknown {
            transaction,
            attributes: (0..u.int_in_range(0..=MAX_UNKNOWN)?)
                .map(|_| u.arbitrary())
                .collect::<Result<_, _>>()?,
            fingerprint: u.arbitrary()?,
        },
        _ => Response::Error {
            transaction,
            code: match u.int_in_range(300..=699)? {
                UNKNOWN_ATTRIBUTE => 400,
                code => code,
            },
        },
    })
}

/// What the wire has no place for.
fn plain(response: Response) -> Response {
    match response {
        Response::Mapped {
            transaction,
            address,
            fingerprint,
        } => Response::Mapped {
            transaction,
            address: SocketAddr::new(address.ip(), address.port()),
            fingerprint,
        },
        other => other,
    }
}

#[test]
fn messages_round_trip() {
    arbtest::arbtest(|u| {
        let response = plain(any_response(u)?);
        assert_eq!(Response::decode(&response.encode()), Ok(response));
        let request = Request {
            transaction: Transaction(u.arbitrary()?),
            fingerprint: u.arbitrary()?,
            unknown: Vec::new(),
        };
        assert_eq!(Request::decode(&request.encode()), Ok(request));
        Ok(())
    });
}

#[test]
fn arbitrary_bytes_are_read_or_refused() {
    arbtest::arbtest(|u| {
        let mut bytes = match u.int_in_range(0..=2)? {
            0 => any_response(u)?.encode(),
            1 => SAMPLE_REQUEST.to_vec(),
            _ => u.arbitrary()?,
        };
        if !bytes.is_empty() {
            let at = u.int_in_range(0..=bytes.len() - 1)?;
            bytes[at] = u.arbitrary()?;
        }
        if let Ok(request) = Request::decode(&bytes) {
            assert!(request.unknown.len() <= MAX_UNKNOWN);
            let answer = request.answer("192.0.2.1:1".parse().unwrap());
            assert!(answer.encode().len() <= 20 + 20 + 8);
            assert_eq!(Response::decode(&answer.encode()), Ok(answer));
        }
        if let Ok(response) = Response::decode(&bytes) {
            assert_eq!(Response::decode(&response.encode()), Ok(response));
        }
        Ok(())
    });
}
