#!/bin/sh
# What aria2 calls once it has everything.
echo complete
