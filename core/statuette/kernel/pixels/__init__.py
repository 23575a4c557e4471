"""Bounded child processes: the only place where bytes from strangers or from providers are decoded.

Import `PixelPool` from `statuette.kernel.pixels.pool`. Nothing is re-exported here, because the children import this
package too and must not pay for, nor carry, what only the parent needs.
"""
