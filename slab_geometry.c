// SPDX-License-Identifier: GPL-2.0
/*
 * How objects lie in a slab: alignment, order, count, colours, and where the
 * descriptor goes; and how large the arrays of a cache are.  Arithmetic only.
 *
 * A slab of order n is laid out as
 *
 *	| colour | object 0 | object 1 | ... | unused | descriptor |
 *
 * with the descriptor on the slab or apart, whichever makes an object cheaper:
 * on the slab it displaces objects unless they leave enough over, apart it takes
 * what kmalloc() rounds it up to.
 */
#include <linux/bitmap.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/string.h>

#include "internal.h"

/* A slab has this many objects or this order, lest it comes and goes all the time. */
#define DENSE_OBJECTS	4
#define DENSE_ORDER	2
/* A slab of so many becomes empty at random so rarely that more do not matter. */
#define MANY_OBJECTS	256
/* What a node keeps free for the next burst at most: so much of either. */
#define KEEP_OBJECTS	1024
#define KEEP_BYTES	SZ_1M
/* What a descriptor may cost, one part in so many of the objects. */
#define COST_PARTS	56

/**
 * geometry_align() - alignment of the objects of a cache
 * @size: size of an object, bytes
 * @align: what the client asks for, bytes; 0 or a power of two
 * @flags: SLAB_HWCACHE_ALIGN counts here
 *
 * With SLAB_HWCACHE_ALIGN an object starts a cache line, or a fraction of one
 * (half, quarter, ...) if that many objects fit into a line, as the kernel's
 * allocators have it.
 *
 * Return: the alignment in bytes, at least that of a pointer.
 */
unsigned int geometry_align(unsigned int size, unsigned int align,
			    slab_flags_t flags)
{
	if (flags & SLAB_HWCACHE_ALIGN) {
		unsigned int line = cache_line_size();

		while (size <= line / 2)
			line /= 2;
		align = max(align, line);
	}
	align = max_t(unsigned int, align, arch_slab_minalign());
	return ALIGN(align, sizeof(void *));
}
EXPORT_SYMBOL_IF_KUNIT(geometry_align);

/**
 * geometry_descriptor_bytes() - size of a slab's descriptor
 * @objects: objects in the slab
 *
 * Return: bytes, the bitmap of free objects included.
 */
size_t geometry_descriptor_bytes(unsigned int objects)
{
	return struct_size_t(struct mpslab_slab, free, BITS_TO_LONGS(objects));
}
EXPORT_SYMBOL_IF_KUNIT(geometry_descriptor_bytes);

/* What kmalloc() takes for a descriptor: powers of two, 96 and 192. */
static size_t kmalloc_bytes(size_t bytes)
{
	size_t rounded = roundup_pow_of_two(bytes);

	if ((rounded == 128 || rounded == 256) && bytes <= rounded / 4 * 3)
		rounded = rounded / 4 * 3;
	return rounded;
}

/**
 * geometry_bytes() - memory that a slab takes
 * @geo: the slab
 *
 * Return: bytes of the block and, where it lies apart, of the descriptor.
 */
size_t geometry_bytes(const struct slab_geometry *geo)
{
	size_t bytes = PAGE_SIZE << geo->order;

	if (geo->off_slab)
		bytes += kmalloc_bytes(geometry_descriptor_bytes(geo->objects));
	return bytes;
}
EXPORT_SYMBOL_IF_KUNIT(geometry_bytes);

/* Does an object cost no more in @a than in @b, but for one part in @parts? */
static bool as_cheap(const struct slab_geometry *a,
		     const struct slab_geometry *b, unsigned int parts)
{
	return (u64)geometry_bytes(a) * b->objects * parts <=
	       (u64)geometry_bytes(b) * a->objects * (parts + 1);
}

/* Objects in a block of @order, without a descriptor. */
static unsigned int objects_in_block(unsigned int order, unsigned int size)
{
	return min_t(size_t, (PAGE_SIZE << order) / size, SLAB_OBJECTS_MAX);
}

/* Objects that fit beside their descriptor. */
static unsigned int objects_with_descriptor(unsigned int order,
					    unsigned int size)
{
	size_t bytes = PAGE_SIZE << order;
	unsigned int objects = objects_in_block(order, size);

	while (objects &&
	       (size_t)objects * size + geometry_descriptor_bytes(objects) > bytes)
		objects--;
	return objects;
}

/* Offsets of the first object in @rest bytes; those that SLAB_OFFSET can hold. */
static unsigned int colours(size_t rest, unsigned int first, unsigned int align)
{
	unsigned int step = max_t(unsigned int, cache_line_size(), align);

	return min_t(size_t, rest, SLAB_OFFSET - first) / step + 1;
}

/**
 * geometry_fit() - lay out a slab of a given order
 * @geo: the result
 * @order: order of the page block
 * @size: distance of two objects, bytes, a multiple of @align
 * @align: alignment, bytes, a power of two
 *
 * Return: false if not even one object fits.
 */
bool geometry_fit(struct slab_geometry *geo, unsigned int order,
		  unsigned int size, unsigned int align)
{
	struct slab_geometry beside = {
		.order = order,
		.objects = objects_with_descriptor(order, size),
	};
	size_t rest;

	geo->order = order;
	geo->off_slab = true;
	geo->objects = objects_in_block(order, size);
	if (!geo->objects)
		return false;
	if (beside.objects && (u64)geometry_bytes(&beside) * geo->objects <=
			      (u64)geometry_bytes(geo) * beside.objects)
		*geo = beside;

	rest = (PAGE_SIZE << order) - (size_t)geo->objects * size;
	if (!geo->off_slab)
		rest -= geometry_descriptor_bytes(geo->objects);
	geo->colours = colours(rest, 0, align);
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(geometry_fit);

/**
 * geometry_fit_apart() - lay out a debugged slab, its descriptor apart
 * @geo: the result; without objects if not even one fits
 * @order: order of the page block
 * @size: distance of two objects, bytes, a multiple of @align
 * @align: alignment, bytes, a power of two
 * @left: bytes before each object that are part of @size
 *
 * Not more than DEBUG_OBJECTS objects, lest what is known of them takes more
 * memory than there is at once.
 */
void geometry_fit_apart(struct slab_geometry *geo, unsigned int order,
			unsigned int size, unsigned int align, unsigned int left)
{
	memset(geo, 0, sizeof(*geo));
	if (order > get_order(KMALLOC_MAX_SIZE) || left > SLAB_OFFSET / 2)
		return;
	geo->order = order;
	geo->off_slab = true;
	geo->objects = min(objects_in_block(order, size), DEBUG_OBJECTS);
	geo->colours = colours((PAGE_SIZE << order) - (size_t)geo->objects * size,
			       left, align);
}
EXPORT_SYMBOL_IF_KUNIT(geometry_fit_apart);

/*
 * The order that SLUB takes (calculate_order() in mm/slub.c): enough objects for
 * its number of CPUs, and the less waste the better.  It has no descriptor.
 */
static unsigned int slub_order(unsigned int size, unsigned int least,
			       unsigned int cpus)
{
	unsigned int enough = min_t(unsigned int, 4 * (fls(cpus) + 1),
				    objects_in_block(DENSE_ORDER_MAX, size));
	unsigned int parts, order;

	for (parts = 16; parts >= 4; parts /= 2) {
		order = max_t(unsigned int, least,
			      get_order((size_t)enough * size));
		for (; order <= DENSE_ORDER_MAX; order++)
			if ((PAGE_SIZE << order) % size * parts <=
			    PAGE_SIZE << order)
				return order;
	}
	return least;
}

/**
 * geometry_choose() - choose order and count for a cache
 * @cache: size and align are set; best, fallback and colour_off are the result
 * @cpus: how many CPUs there are
 *
 * The fallback has the least order that holds an object, for when memory is
 * fragmented.  The best is the least order at which objects cost hardly more
 * than in SLUB's slabs: of slabs that serve as well, the small ones are sooner
 * empty when objects are freed at random.  For the same reason it does not have
 * more objects than SLUB's slabs, unless these are never empty either.
 *
 * Return: 0, or -E2BIG if an object is larger than any page block.
 */
int geometry_choose(struct mpslab_cache *cache, unsigned int cpus)
{
	unsigned int size = cache->size;
	unsigned int least = get_order(max(size, cache->align));
	struct slab_geometry *best = &cache->best, slub = { };
	unsigned int order;

	cache->colour_off = max_t(unsigned int, cache_line_size(), cache->align);
	if (least > get_order(KMALLOC_MAX_SIZE) ||
	    !geometry_fit(&cache->fallback, least, size, cache->align))
		return -E2BIG;

	slub.order = slub_order(size, least, cpus);
	slub.objects = objects_in_block(slub.order, size);
	for (order = least; order <= DENSE_ORDER_MAX; order++) {
		geometry_fit(best, order, size, cache->align);
		if (best->objects > slub.objects &&
		    slub.objects < MANY_OBJECTS)
			break;
		if (as_cheap(best, &slub, COST_PARTS) &&
		    (best->objects >= DENSE_OBJECTS || order >= DENSE_ORDER ||
		     order >= slub.order))
			return 0;
	}
	geometry_fit(best, slub.order, size, cache->align);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(geometry_choose);

/**
 * geometry_array_sizes() - default sizes of a cache's arrays
 * @size: distance of two objects, bytes
 * @cpus: CPUs of a node
 * @limit: set to the objects in one CPU's array
 * @batchcount: set to the objects moved at once
 * @shared: set to the batches that a node's shared array holds
 *
 * The steps are those that served mm/slab.c (enable_cpucache(), removed in
 * 6.8): the larger the object, the fewer lie idle.  But there is one step more,
 * for objects of two pages; and half as many are shared, and large ones not at
 * all: each may keep a slab from becoming empty.  Four batches more for each CPU
 * beyond four: when all of them free twice what their arrays hold at once, it goes
 * no deeper than when one does.
 */
void geometry_array_sizes(unsigned int size, unsigned int cpus,
			  unsigned int *limit, unsigned int *batchcount,
			  unsigned int *shared)
{
	if (size > 131072)
		*limit = 1;
	else if (size > 2 * PAGE_SIZE)
		*limit = 8;
	else if (size > PAGE_SIZE)
		*limit = 16;
	else if (size > 1024)
		*limit = 24;
	else if (size > 256)
		*limit = 54;
	else
		*limit = 120;
	*batchcount = (*limit + 1) / 2;
	*shared = size <= PAGE_SIZE ? 4 * clamp(cpus, 4U, 18U) - 12 : 0;
}
EXPORT_SYMBOL_IF_KUNIT(geometry_array_sizes);

/**
 * geometry_keep() - free objects that a node keeps, beside some batches
 * @size: distance of two objects, bytes
 * @objects: objects in a slab
 *
 * A burst of a thousand small objects should not go to the page allocator again
 * and again.  What is not used is reaped in any case.
 *
 * Return: objects, at least those of one slab.
 */
unsigned int geometry_keep(unsigned int size, unsigned int objects)
{
	return max(objects, min_t(unsigned int, KEEP_OBJECTS, KEEP_BYTES / size));
}
EXPORT_SYMBOL_IF_KUNIT(geometry_keep);
