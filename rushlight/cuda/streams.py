"""Streams and events, of which none can be made."""

from rushlight.cuda._streams import Event, ExternalStream, Stream

__all__ = ["Event", "ExternalStream", "Stream"]
