"""Between tracker and lifter: sides put back, jumps taken out, short gaps bridged, traces smoothed."""
