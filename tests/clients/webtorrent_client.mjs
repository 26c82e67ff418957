// A WebTorrent client, for tests: `node webtorrent_client.mjs TORRENT FOLDER`.
//
// Shares what is in the folder, and gets what is not. It finds others through the torrent's
// tracker alone, and tells on standard output when it is complete.

import WebTorrent from 'webtorrent'

const [torrentFile, folder] = process.argv.slice(2)

const client = new WebTorrent({
  dht: false,
  lsd: false,
  utp: false,
  natUpnp: false,
  natPmp: false,
  utPex: false,
  torrentPort: 0,
  tracker: { rtcConfig: { iceServers: [] } }
})
client.on('error', error => fail(error))

const torrent = client.add(torrentFile, { path: folder })
torrent.on('warning', error => console.error(`warning: ${error.message ?? error}`))
torrent.on('wire', (wire, address) => console.error(`a peer: ${wire.type} ${address ?? ''}`))
torrent.on('done', () => console.log('complete'))
torrent.on('error', error => fail(error))

function fail (error) {
  console.error(error)
  process.exit(1)
}
