"""Sees every packet in the network of the tests: watch.py INFO_HASH PORT

Says "ready", then "leak ..." for each UDP datagram that has the info-hash in it, raw or in
hexadecimal digits, as those of the DHT (BEP 5) and of local discovery (BEP 14) have, and for each
TCP segment with the name of peer exchange (BEP 11). When something comes to the UDP port, it says
how many there were, and ends.
"""

import socket
import struct
import sys

EVERYTHING = 3
TCP, UDP = 6, 17


def main(info_hash, port):
    raw = bytes.fromhex(info_hash)
    digits = info_hash.lower().encode()
    packets = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(EVERYTHING))
    packets.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 20)
    print("ready", flush=True)
    leaks = 0
    while True:
        packet = packets.recv(1 << 16)
        version = packet[0] >> 4
        if version == 4:
            header, protocol = (packet[0] & 15) * 4, packet[9]
        elif version == 6:
            header, protocol = 40, packet[6]
        else:
            continue
        if protocol not in (TCP, UDP):
            continue
        [to] = struct.unpack_from("!H", packet, header + 2)
        if protocol == UDP and to == int(port):
            print(f"leaks: {leaks}", flush=True)
            return
        if protocol == UDP:
            leaked = raw in packet or digits in packet.lower()
            kind = "local discovery" if to == 6771 else "the DHT"
        else:
            leaked, kind = b"6:ut_pex" in packet, "peer exchange"
        if leaked:
            leaks += 1
            print(f"leak by {kind}", flush=True)


main(*sys.argv[1:])
