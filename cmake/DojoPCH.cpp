// Compiled once: it carries the precompiled header of DojoPCH.h.
