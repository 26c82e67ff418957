"""A libtorrent client to be measured, which asks for no news but those that it needs.

    libtorrent_quiet.py TORRENT FOLDER ADDRESS:PORT PEER...

Shares what is in the folder, and gets what is not, from peers at these addresses and those who
call; tells on standard output when it is complete.
"""

import sys

import libtorrent as lt
from libtorrent_follow import follow

torrent, folder, listen, *peers = sys.argv[1:]
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
        "webtorrent_stun_server": "",
        "alert_mask": lt.alert.category_t.status_notification
        | lt.alert.category_t.storage_notification,
    }
)
parameters = lt.add_torrent_params()
parameters.ti = lt.torrent_info(torrent)
parameters.save_path = folder
handle = session.add_torrent(parameters)
for peer in peers:
    address, _, port = peer.rpartition(":")
    handle.connect_peer((address, int(port)))
follow(session, handle, 60_000)
