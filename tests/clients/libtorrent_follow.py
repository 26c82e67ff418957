"""What every libtorrent client here does once it has a torrent."""

import libtorrent as lt


def follow(session, handle, milliseconds, hear=lambda alert: None):
    """Never ends; looks for news this often at the least, and hands on what it hears. Says on
    standard output when all is there."""
    flushes = told = False
    while True:
        session.wait_for_alert(milliseconds)
        for alert in session.pop_alerts():
            hear(alert)
            if isinstance(alert, lt.cache_flushed_alert) and flushes and not told:
                told = True
                print("complete", flush=True)
        # A piece that was verified may not have been written yet.
        if not flushes and handle.status().is_seeding:
            flushes = True
            handle.flush_cache()
