#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# broken.sh DIR FAULT: break the allocator whose sources are in DIR, so that the
# proofs can be seen to fail.
#
#   ctor	the first object of a slab is not constructed
#   overlap	neighbours share 8 bytes, if larger than 64
#   twice	one object in 2000 is handed out twice
#   lost	one free in 2000 is forgotten

set -euo pipefail
cd "$1"

# change FILE SED-SCRIPT: which must change something.
change() {
	cp "$1" "$1.whole"
	sed -i "$2" "$1"
	if cmp -s "$1" "$1.whole"; then
		echo "broken.sh: $1 is no longer what it was" >&2
		exit 1
	fi
	rm "$1.whole"
}

once_in_2000='{ static atomic_t broken; if (atomic_inc_return(&broken) % 2000 == 0)'

case $2 in
ctor)
	change slab_page.c '/^static void construct_objects/,/^}/s/for (i = 0;/for (i = 1;/'
	;;
overlap)
	change slab_setup.c '/^static int set_geometry/,/^}/s/cache->size = ALIGN.*;/&\n\tcache->size -= cache->size > 64 ? 8 : 0;/'
	;;
twice)
	change slab_cache.c "/^void \*mpslab_cache_alloc(struct/,/^}/{
		/gfp |= cache_work_gfp(cache);/i $once_in_2000 cpu_cache_push(cache, obj, NULL); }
	}"
	;;
lost)
	change slab_cache.c "/^void mpslab_cache_free(struct/,/^}/{
		/^{/a $once_in_2000 return; }
	}"
	;;
*)
	echo "broken.sh: no fault $2" >&2
	exit 2
	;;
esac
