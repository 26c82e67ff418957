#!/bin/sh
# Runs a command on an internet of three homes, from which nothing else leads out: homes.sh COMMAND...
#
# The command is at 203.0.113.1. Each home has a line of 40 Mbit/s, a router that translates addresses,
# and one machine behind it, in the network namespace `left`, `right` or `strict`. The router of `strict`
# gives each connection a port of its own, so that nobody outside can know through which one to answer
# (RFC 4787, 4.1: address- and port-dependent mapping). What comes to port 9515 of a router is passed on
# to the machine, for what drives a browser there.
set -e
if [ "$1" != inside ]; then
    # Only root may, or who is root in a world of their own.
    [ "$(id -u)" = 0 ] || as_root=--map-root-user
    exec unshare --net --mount $as_root sh "$0" inside "$@"
fi
shift
# Where namespaces have their names.
mount -t tmpfs none /run
mkdir /run/netns

ip link set lo up
ip link add internet type bridge
ip address add 203.0.113.1/24 dev internet
ip link set internet up

# home NAME ADDRESS [PORTS]
home() {
    router="$1-router"
    ip netns add "$1"
    ip netns add "$router"
    ip link add "$1" type veth peer name outside netns "$router"
    ip link set "$1" master internet up
    ip -n "$router" link add inside type veth peer name home netns "$1"
    ip -n "$router" link set lo up
    ip -n "$router" address add "$2/24" dev outside
    ip -n "$router" link set outside up
    # The same everywhere, as with routers of one make.
    ip -n "$router" address add 192.168.1.1/24 dev inside
    ip -n "$router" link set inside up
    ip -n "$1" link set lo up
    ip -n "$1" address add 192.168.1.2/24 dev home
    ip -n "$1" link set home up
    ip -n "$1" route add default via 192.168.1.1
    ip netns exec "$1" tc qdisc add dev home root tbf rate 40mbit burst 64kb latency 50ms
    ip netns exec "$router" tc qdisc add dev inside root tbf rate 40mbit burst 64kb latency 50ms
    ip netns exec "$router" sysctl -qw net.ipv4.ip_forward=1
    ip netns exec "$router" nft -f - <<RULES
table ip nat {
    chain in {
        type nat hook prerouting priority dstnat
        iifname outside tcp dport 9515 dnat to 192.168.1.2
    }
    chain out {
        type nat hook postrouting priority srcnat
        oifname outside masquerade $3
    }
}
table ip filter {
    # As routers do. Otherwise who knocks before it is expected is remembered, and has the port for
    # itself: what is sent there from inside leaves by another, and the two never meet.
    chain input {
        type filter hook input priority filter
        iifname outside ct state new drop
    }
    chain forward {
        type filter hook forward priority filter
        policy drop
        ct state established,related accept
        ct status dnat accept
        iifname inside accept
    }
}
RULES
}
home left 203.0.113.10
home right 203.0.113.20
home strict 203.0.113.30 fully-random
exec "$@"
