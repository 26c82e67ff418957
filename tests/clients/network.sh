#!/bin/sh
# Runs a command in a network of its own, from which nothing leads out: network.sh COMMAND...
#
# Clients don't dial 127.0.0.1, and WebRTC finds no address with that alone, so there is
# 10.77.0.1, on a line that ends nowhere.
set -e
if [ "$1" != inside ]; then
    # Only root may, or who is root in a world of their own.
    [ "$(id -u)" = 0 ] || as_root=--map-root-user
    exec unshare --net $as_root sh "$0" inside "$@"
fi
shift
ip link set lo up
ip link add here type veth peer name nowhere
ip address add 10.77.0.1/24 dev here
ip link set here up
ip -6 address add fd77::1/64 dev here nodad
ip link set nowhere up
ip route add default via 10.77.0.2 dev here
exec "$@"
