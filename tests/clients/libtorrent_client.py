"""A libtorrent client, for tests.

    libtorrent_client.py make PATH TORRENT TRACKER...
    libtorrent_client.py run TORRENT FOLDER ADDRESS:PORT

`make` writes a torrent of a file or folder. `run` shares what is in the folder, and gets what
is not; it finds others through the torrent's trackers and its peers alone, and tells on standard
output to whom it connects, and when it is complete.
"""

import sys
import time

import libtorrent as lt


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


def run(torrent, folder, listen):
    session = lt.session(
        {
            "listen_interfaces": listen,
            "enable_dht": False,
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
            | lt.alert.category_t.connect_notification,
        }
    )
    handle = session.add_torrent({"ti": lt.torrent_info(torrent), "save_path": folder})
    told = False
    while True:
        session.wait_for_alert(500)
        for alert in session.pop_alerts():
            print(alert.message(), file=sys.stderr, flush=True)
            if isinstance(alert, lt.peer_connect_alert):
                print(alert.message(), flush=True)
        if not told and handle.status().is_seeding:
            told = True
            print("complete", flush=True)


{"make": make, "run": run}[sys.argv[1]](*sys.argv[2:])
