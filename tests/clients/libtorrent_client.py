"""A libtorrent client, for tests.

    libtorrent_client.py make PATH TORRENT TRACKER...
    libtorrent_client.py run TORRENT FOLDER ADDRESS:PORT [BOOTSTRAP]
    libtorrent_client.py dht ADDRESS:PORT BOOTSTRAP COMMAND

`make` writes a torrent of a file or folder. `run` shares what is in the folder, and gets what
is not; TORRENT is a file, or a magnet link. It finds others through the torrent's trackers and
its peers alone, and tells on standard output to whom it connects, and when it is complete. With
the ADDRESS:PORT of a node to join by it is in the DHT as well. `dht` is a node of that and no
more; its commands are those of dht_node.mjs.
"""

import sys
import time

import libtorrent as lt
from libtorrent_follow import follow


def make(path, torrent, *trackers):
    storage = lt.file_storage()
    lt.add_files(storage, path)
    # Only v1, as most clients here know no other.
    create = lt.create_torrent(storage, 64 << 10, flags=lt.create_torrent.v1_only)
    for tier, tracker in enumerate(trackers):
        create.add_tracker(tracker, tier)
    lt.set_piece_hashes(create, path.rpartition("/")[0])
    with open(torrent, "wb") as file:
        file.write(lt.bencode(create.generate()))


def settings(listen, bootstrap):
    return {
        "listen_interfaces": listen,
        "enable_dht": bootstrap is not None,
        "dht_bootstrap_nodes": bootstrap or "",
        # Everybody has one address here.
        "dht_restrict_routing_ips": False,
        "dht_restrict_search_ips": False,
        "dht_block_ratelimit": 100000,
        "dht_upload_rate_limit": 1000000,
        "enable_lsd": False,
        "enable_upnp": False,
        "enable_natpmp": False,
        "enable_outgoing_utp": False,
        "enable_incoming_utp": False,
        "allow_multiple_connections_per_ip": True,
        "ssrf_mitigation": False,
        "min_announce_interval": 1,
        "min_websocket_announce_interval": 1,
        "webtorrent_stun_server": "",
        "alert_mask": lt.alert.category_t.error_notification
        | lt.alert.category_t.tracker_notification
        | lt.alert.category_t.connect_notification
        | lt.alert.category_t.storage_notification
        | lt.alert.category_t.dht_notification
        | lt.alert.category_t.dht_operation_notification,
    }


def run(torrent, folder, listen, bootstrap=None):
    session = lt.session(settings(listen, bootstrap))
    if torrent.startswith("magnet:"):
        parameters = lt.parse_magnet_uri(torrent)
    else:
        parameters = lt.add_torrent_params()
        parameters.ti = lt.torrent_info(torrent)
    parameters.save_path = folder
    handle = session.add_torrent(parameters)
    follow(session, handle, 500, say_whom)


def say_whom(alert):
    print(alert.message(), file=sys.stderr, flush=True)
    if isinstance(alert, lt.peer_connect_alert):
        print(alert.message(), flush=True)


def dht(listen, bootstrap, command, subject=None, detail=None):
    session = lt.session(settings(listen, "" if bootstrap == "-" else bootstrap))
    say = lambda words: print(words, flush=True)
    began = False
    while True:
        session.wait_for_alert(100)
        for alert in session.pop_alerts():
            print(alert.what(), alert.message(), file=sys.stderr, flush=True)
            if isinstance(alert, lt.dht_bootstrap_alert) and not began:
                began = True
                say("ready")
                begin(session, command, subject, detail, say)
            elif isinstance(alert, lt.dht_get_peers_reply_alert):
                for address, port in alert.peers():
                    say(f"peer {address}:{port}")
            elif isinstance(alert, lt.dht_immutable_item_alert):
                say(f"value {alert.item.decode()}")
            elif isinstance(alert, lt.dht_put_alert):
                say(f"stored at {alert.num_success}")


def begin(session, command, subject, detail, say):
    if command == "announce":
        session.dht_announce(lt.sha1_hash(bytes.fromhex(subject)), int(detail), 0)
    elif command == "lookup":
        session.dht_get_peers(lt.sha1_hash(bytes.fromhex(subject)))
    elif command == "put":
        key = session.dht_put_immutable_item(subject.encode())
        say(f"key {key}")
    elif command == "get":
        session.dht_get_immutable_item(lt.sha1_hash(bytes.fromhex(subject)))


{"make": make, "run": run, "dht": dht}[sys.argv[1]](*sys.argv[2:])
