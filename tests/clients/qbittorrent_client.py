"""A qBittorrent client, for tests: qbittorrent_client.py TORRENT FOLDER ADDRESS PORT

It shares what is in the folder, and gets what is not; what it keeps for itself goes beside that.
It finds others through the torrent's trackers and by being called, listens at the port, and is
asked at the next one how far it is: it says "complete" on standard output.
"""

import json
import os
import sys
import time
import urllib.request

CONFIGURATION = r"""
[LegalNotice]
Accepted=true

[BitTorrent]
Session\Port={port}
Session\InterfaceAddress={address}
Session\BTProtocol=TCP
Session\DHTEnabled=false
Session\LSDEnabled=false
Session\MultiConnectionsPerIp=true
Session\SSRFMitigation=false
Session\QueueingSystemEnabled=false

[Network]
PortForwardingEnabled=false

[Preferences]
WebUI\Address=127.0.0.1
WebUI\Port={asked}
WebUI\LocalHostAuth=false
WebUI\UseUPnP=false
General\Locale=en
"""


def watch(asked):
    """Says when all is there; ends with the client."""
    answered = False
    while True:
        try:
            address = f"http://127.0.0.1:{asked}/api/v2/torrents/info"
            with urllib.request.urlopen(address) as answer:
                torrents = json.load(answer)
            answered = True
            # What is left while files are checked is not known.
            known = [it for it in torrents if not it["state"].startswith("checking")]
            if any(it["progress"] == 1 for it in known):
                print("complete", flush=True)
                return
        except OSError:
            if answered:
                return
        time.sleep(0.25)


def main(torrent, folder, address, port):
    profile = os.path.abspath(folder) + ".qbittorrent"
    asked = int(port) + 1
    below = os.path.join(profile, "qBittorrent", "config")
    os.makedirs(below, exist_ok=True)
    with open(os.path.join(below, "qBittorrent.conf"), "w") as file:
        file.write(CONFIGURATION.format(address=address, port=port, asked=asked))
    if os.fork() == 0:
        return watch(asked)
    # The process that was started is the client: who ends it ends that. What it says is for
    # people.
    os.dup2(2, 1)
    arguments = [f"--profile={profile}", f"--save-path={folder}", "--skip-dialog=true", torrent]
    os.execvp("qbittorrent-nox", ["qbittorrent-nox", *arguments])


main(*sys.argv[1:])
