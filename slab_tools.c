// SPDX-License-Identifier: GPL-2.0
/*
 * What the kernel's own tools are told of objects: kmemleak, KASAN and KMSAN, where the
 * kernel was built with them.
 *
 *	kmemleak	knows each object that is in use, and who allocated it
 *	KASAN		reports whoever uses an object that is free, or what lies
 *			between two of them
 *	KMSAN		takes an object for written to only by its user
 *
 * KASAN and KMSAN are not told of free objects that somebody may look at: with
 * SLAB_TYPESAFE_BY_RCU its readers, and while objects are debugged, we ourselves.
 */
#include <linux/kmemleak.h>
#include <linux/kmsan-checks.h>
#include <linux/mm.h>
#include <linux/preempt.h>

#include "internal.h"

/* ---------------------------------------------------------------------- KASAN -- */

/* In its words, those of mm/kasan/kasan.h, so that its reports are the usual ones. */
#define SHADOW_FREE		0xfb	/* "use-after-free" */
#define SHADOW_RED_ZONE		0xfc	/* "out-of-bounds" */
#define SHADOW_GRANULE		8	/* bytes that a byte of the shadow is for */

/* Of memory that is no whole number of granules nothing is said. */
static void shadow_fill(const void *addr, size_t bytes, u8 shadow)
{
	if (IS_ALIGNED((unsigned long)addr | bytes, SHADOW_GRANULE))
		compat_kasan_poison(addr, bytes, shadow);
}

static void shadow_object_free(const struct mpslab_cache *cache, void *obj)
{
	if (IS_ENABLED(CONFIG_KASAN_GENERIC) &&
	    !(cache->flags & SLAB_TYPESAFE_BY_RCU) && !READ_ONCE(cache->look))
		shadow_fill(obj, round_up(cache->object_size, SHADOW_GRANULE),
			    SHADOW_FREE);
}

/*
 * Of its last granule only so many bytes as are the object's, unless the rest may be a
 * red zone of ours.
 */
static void shadow_object_in_use(const struct mpslab_cache *cache, void *obj)
{
	size_t whole = round_down(cache->object_size, SHADOW_GRANULE);
	u8 rest = cache->object_size - whole;

	if (!IS_ENABLED(CONFIG_KASAN_GENERIC))
		return;
	shadow_fill(obj, whole, 0);
	if (rest)
		shadow_fill(obj + whole, SHADOW_GRANULE,
			    READ_ONCE(cache->look) ? 0 : rest);
}

/* -------------------------------------------------------------------- objects -- */

/**
 * tools_see_alloc() - an object is handed out
 * @cache: the cache
 * @gfp: the caller's flags
 * @obj: the object
 *
 * Some of them take locks, so what happens in NMI they do not hear: an object that
 * was freed there is still known to kmemleak.  To know a new one it allocates memory.
 *
 * Context: any; the caller owns the object.
 */
void tools_see_alloc(const struct mpslab_cache *cache, gfp_t gfp, void *obj)
{
	gfp &= ~GFP_WORK;
	shadow_object_in_use(cache, obj);
	if (in_nmi())
		return;
	if (!(cache->flags & SLAB_NOLEAKTRACE)) {
		kmemleak_free(obj);
		if (may_take_sleeping_locks())
			kmemleak_alloc(obj, cache->object_size, 1, gfp);
	}
	if (!cache->ctor && !(cache->flags & SLAB_TYPESAFE_BY_RCU) &&
	    !(gfp & __GFP_ZERO))
		kmsan_poison_memory(obj, cache->object_size, gfp);
}

/**
 * tools_see_free() - an object comes back
 * @cache: the cache
 * @obj: the object, which nobody touches any more
 *
 * Context: any; the caller owns the object.
 */
void tools_see_free(const struct mpslab_cache *cache, void *obj)
{
	shadow_object_free(cache, obj);
	if (in_nmi())
		return;
	if (!(cache->flags & SLAB_NOLEAKTRACE))
		kmemleak_free(obj);
	if (!cache->ctor && !(cache->flags & SLAB_TYPESAFE_BY_RCU) &&
	    !READ_ONCE(cache->look))
		kmsan_poison_memory(obj, cache->object_size, GFP_NOWAIT);
}

/* ---------------------------------------------------------------------- slabs -- */

/**
 * tools_see_slab() - a slab is made, its objects constructed
 * @slab: the slab, which nobody else knows yet
 */
void tools_see_slab(struct mpslab_slab *slab)
{
	const struct mpslab_cache *cache = slab->cache;
	unsigned int i;

	if (!IS_ENABLED(CONFIG_KASAN_GENERIC) || slab_is_debugged(slab) ||
	    cache->flags & SLAB_TYPESAFE_BY_RCU)
		return;
	shadow_fill(slab_base(slab), (size_t)slab->objects * cache->size,
		    SHADOW_RED_ZONE);
	for (i = 0; i < slab->objects; i++)
		shadow_object_free(cache, slab_object(slab, i));
}

/**
 * tools_see_slab_go() - a slab is given back
 * @slab: the slab, its objects free
 *
 * Objects that were freed in NMI, or kept aside, are still known to kmemleak, which
 * gives up when the same memory is told of again in other pieces.
 */
void tools_see_slab_go(struct mpslab_slab *slab)
{
	unsigned int i;

	if (!cache_has_tools(slab->cache))
		return;
	if (IS_ENABLED(CONFIG_KASAN_GENERIC))
		shadow_fill(page_address(slab->page),
			    PAGE_SIZE << slab_order(slab), 0);
	for (i = 0; i < slab->objects; i++)
		kmemleak_free(slab_object(slab, i));
}
