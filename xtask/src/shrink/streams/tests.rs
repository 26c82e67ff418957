use std::process::Command;

use data_encoding::HEXLOWER;

use super::*;
use crate::shrink::module::string;

/// What the glue makes of a file, by Node.
fn unpacked(packed: &[u8]) -> Vec<u8> {
    let packed = HEXLOWER.encode(packed);
    let script = format!(
        "{UNPACK}
        unpack(new Response(Buffer.from('{packed}', 'hex')))
            .then((bytes) => console.log(Buffer.from(bytes).toString('hex')));"
    );
    let node = Command::new("node").arg("-e").arg(script).output().unwrap();
    assert!(node.status.success(), "{node:?}");
    HEXLOWER.decode(node.stdout.trim_ascii()).unwrap()
}

/// A module with functions of such instructions, and sections around them.
fn module(functions: &[&[u8]]) -> Vec<u8> {
    let mut code = Vec::new();
    number(&mut code, functions.len() as u32);
    for body in functions {
        string(&mut code, body);
    }
    let mut bytes = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0".to_vec();
    bytes.push(CODE);
    string(&mut bytes, &code);
    bytes.extend(b"\0\x03\x01xy");
    bytes
}

/// Every kind of instruction, each with operands of its own.
const EVERYTHING: &[u8] = b"\
    \x02\x03\x7f\x90\x01\x7e\
    \x02\x40\x03\x7f\x04\x80\x02\x01\x05\x00\x0b\x0c\x01\x0d\x80\x01\x0b\x0b\
    \x0e\x02\x00\x01\x82\x01\x0f\x10\x85\x01\x11\x81\x01\x00\x1a\x1b\x1c\x01\x7f\
    \x20\x83\x01\x21\x84\x02\x22\x05\x23\x06\x24\x07\x25\x08\x26\x09\
    \x28\x02\x00\x29\x03\xff\xff\xff\xff\x0f\x36\x02\x80\x02\x3a\x00\x7f\x3e\x01\x80\x80\x04\
    \x3f\x00\x40\x00\x41\x80\x80\xc0\x00\x41\x7f\x42\x80\x80\x80\x80\x80\x80\x80\x80\x80\x7f\
    \x43\x00\x00\x80\x3f\x44\x01\x02\x03\x04\x05\x06\x07\x88\x45\xc4\xd0\x6f\xd2\x0a\
    \xfc\x00\xfc\x07\xfc\x08\x01\x00\xfc\x09\x01\xfc\x0a\x00\x00\xfc\x0b\x00\xfc\x0c\x01\x00\
    \xfc\x0d\x01\xfc\x0e\x00\x00\xfc\x0f\x00\xfc\x10\x00\xfc\x11\x00\x0b";

#[test]
fn a_browser_gets_the_program_that_was_taken_apart() {
    let long = [
        &[0][..],
        &[0x20, 0x01, 0x20, 0x01, 0x6a, 0x1a].repeat(5000),
        &[END],
    ]
    .concat();
    let programs: [&[&[u8]]; 4] = [
        &[],
        &[b"\0\x0b"],
        &[EVERYTHING],
        &[EVERYTHING, b"\x01\x01\x7f\x41\x00\x0b", &long, EVERYTHING],
    ];
    for functions in programs {
        let program = module(functions);
        let packed = pack(&program).unwrap();
        assert_eq!(unpacked(&packed), program);
    }
    let program = module(&[&long]);
    assert!(pack(&program).unwrap().len() < program.len() / 2);
}

#[test]
fn what_the_glue_could_not_put_together_is_refused() {
    for body in [
        &b"\0\xfd\x00\x0b"[..],
        b"\0\xfc\x12\x0b",
        b"\0\x06\x40\x0b",
        b"\0\x01",
    ] {
        assert!(pack(&module(&[body])).is_err(), "{body:?}");
    }
    let program = module(&[EVERYTHING]);
    for cut in 0..program.len() - 6 {
        assert!(pack(&program[..cut]).is_err(), "{cut}");
    }
    assert!(pack(b"\0asm\x01\0\0\0").is_err());
}
