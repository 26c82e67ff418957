// A node of the mainline DHT, WebTorrent's, for tests:
//
//     node dht_node.mjs ADDRESS:PORT BOOTSTRAP COMMAND
//
// BOOTSTRAP is the ADDRESS:PORT of a node to join by, or `-` for none. The commands:
//
//     node                 takes part, no more
//     announce HASH PORT   announces that a torrent is to be had at a port of ours
//     lookup HASH          looks for those who have announced one
//     put VALUE            stores a value (BEP 44)
//     get KEY              fetches one
//
// It tells what came of it on standard output, a line each, and goes on being a node.

import DHT from 'bittorrent-dht'

const [listen, bootstrap, command, subject, detail] = process.argv.slice(2)
const [host, port] = listen.split(':')

const dht = new DHT({ bootstrap: bootstrap === '-' ? false : [bootstrap] })
dht.on('error', fail)
dht.on('warning', warning => console.error(`warning: ${warning.message ?? warning}`))
dht.on('ready', () => run())
dht.listen(Number(port), host)

function run () {
  console.log('ready')
  switch (command) {
    case 'announce':
      return dht.announce(subject, Number(detail), error => {
        error ? fail(error) : console.log('announced')
      })
    case 'lookup': {
      const told = new Set()
      dht.on('peer', ({ host, port }) => {
        const peer = `${host}:${port}`
        if (!told.has(peer)) console.log(`peer ${peer}`)
        told.add(peer)
      })
      return dht.lookup(subject, error => error ? fail(error) : console.log('looked up'))
    }
    case 'put':
      return dht.put({ v: Buffer.from(subject) }, (error, key) => {
        error ? fail(error) : console.log(`key ${key.toString('hex')}`)
      })
    case 'get':
      return dht.get(subject, (error, found) => {
        if (error) fail(error)
        console.log(found ? `value ${Buffer.from(found.v).toString()}` : 'nothing')
      })
  }
}

function fail (error) {
  console.error(error)
  process.exit(1)
}
