// The tracker of WebTorrent, for tests: `node tracker.mjs ADDRESS PORT`.
//
// Tells on standard output when it listens.

import { Server } from 'bittorrent-tracker'

const [address, port] = process.argv.slice(2)

const server = new Server({ udp: false, http: false, ws: true, stats: false, interval: 15_000 })
server.on('error', error => fail(error))
server.on('warning', error => console.error(`warning: ${error.message ?? error}`))
server.listen(Number(port), address, () => console.log('listening'))

function fail (error) {
  console.error(error)
  process.exit(1)
}
