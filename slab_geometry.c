// SPDX-License-Identifier: GPL-2.0
/*
 * How objects lie in a slab: alignment, order, count, colours, and where the
 * descriptor goes; and how large the arrays of a cache are.  Arithmetic only.
 *
 * A slab of order n is laid out as
 *
 *	| colour | object 0 | object 1 | ... | unused | descriptor |
 *
 * with the descriptor on the slab where it costs less than an allocation of its
 * own: where it fits into what the objects leave over, or displaces objects
 * that together are no larger than itself.
 */
#include <linux/bitmap.h>
#include <linux/mm.h>

#include "internal.h"

/* Objects that a slab should hold, so that a refill need not visit many. */
#define DENSE_OBJECTS	8

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

/* Objects that fit beside their descriptor. */
static unsigned int objects_with_descriptor(size_t bytes, unsigned int size)
{
	unsigned int objects = bytes / size;

	while (objects &&
	       (size_t)objects * size + geometry_descriptor_bytes(objects) > bytes)
		objects--;
	return objects;
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
	size_t bytes = PAGE_SIZE << order;
	unsigned int apart = bytes / size;
	unsigned int beside = objects_with_descriptor(bytes, size);
	size_t lost = (size_t)(apart - beside) * size;
	size_t rest;

	geo->order = order;
	geo->off_slab = !beside || lost > geometry_descriptor_bytes(apart);
	geo->objects = geo->off_slab ? apart : beside;
	if (!geo->objects)
		return false;

	rest = bytes - (size_t)geo->objects * size;
	if (!geo->off_slab)
		rest -= geometry_descriptor_bytes(geo->objects);
	geo->colours = rest / max_t(unsigned int, cache_line_size(), align) + 1;
	return true;
}
EXPORT_SYMBOL_IF_KUNIT(geometry_fit);

/* Is no more than one part in @parts of the block without an object? */
static bool waste_within(const struct slab_geometry *geo, unsigned int size,
			 unsigned int parts)
{
	size_t bytes = PAGE_SIZE << geo->order;

	return (bytes - (size_t)geo->objects * size) * parts <= bytes;
}

/**
 * geometry_choose() - choose order and count for a cache
 * @cache: size and align are set; best, fallback and colour_off are the result
 *
 * The fallback has the least order that holds an object, for when memory is
 * fragmented.  The best is the least order up to DENSE_ORDER_MAX that holds
 * enough objects and wastes at most a 16th, else an 8th, else a quarter; or the
 * fallback.
 *
 * Return: 0, or -E2BIG if an object is larger than any page block.
 */
int geometry_choose(struct mpslab_cache *cache)
{
	unsigned int size = cache->size;
	unsigned int least = get_order(max(size, cache->align));
	unsigned int parts, order;

	cache->colour_off = max_t(unsigned int, cache_line_size(), cache->align);
	if (least > get_order(KMALLOC_MAX_SIZE) ||
	    !geometry_fit(&cache->fallback, least, size, cache->align))
		return -E2BIG;

	for (parts = 16; parts >= 4; parts /= 2) {
		for (order = least; order <= DENSE_ORDER_MAX; order++) {
			geometry_fit(&cache->best, order, size, cache->align);
			if (!waste_within(&cache->best, size, parts))
				continue;
			if (cache->best.objects >= DENSE_OBJECTS ||
			    order == DENSE_ORDER_MAX)
				return 0;
		}
	}
	cache->best = cache->fallback;
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(geometry_choose);

/**
 * geometry_array_sizes() - default sizes of a cache's arrays
 * @size: distance of two objects, bytes
 * @limit: set to the objects in one CPU's array
 * @batchcount: set to the objects moved at once
 * @shared: set to the batches that a node's shared array holds
 *
 * The steps are those that served mm/slab.c (enable_cpucache(), removed in
 * 6.8): the larger the object, the fewer lie idle.  Large objects are not
 * shared either.
 */
void geometry_array_sizes(unsigned int size, unsigned int *limit,
			  unsigned int *batchcount, unsigned int *shared)
{
	if (size > 131072)
		*limit = 1;
	else if (size > PAGE_SIZE)
		*limit = 8;
	else if (size > 1024)
		*limit = 24;
	else if (size > 256)
		*limit = 54;
	else
		*limit = 120;
	*batchcount = (*limit + 1) / 2;
	*shared = size <= PAGE_SIZE && num_possible_cpus() > 1 ? 8 : 0;
}
EXPORT_SYMBOL_IF_KUNIT(geometry_array_sizes);
