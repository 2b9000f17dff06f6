/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The array cache: a bounded stack of free objects.
 *
 * Pure data: no locks, no allocation, no knowledge of slabs, so that a test can
 * exhaust it.  Who owns an array, and so who may call these, is said where the
 * array is declared (struct cpu_cache, struct cache_node in internal.h).
 *
 * The newest object is entry[avail - 1].  It is taken first, because it is the
 * one most likely to be in the CPU's cache; what leaves for the slabs is the
 * oldest.  The idea is that of Bonwick and Adams, "Magazines and Vmem" (2001),
 * in the flat form that mm/slab.c used.
 */
#ifndef MPSLAB_ARRAY_CACHE_H
#define MPSLAB_ARRAY_CACHE_H

#include <linux/compiler.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/types.h>

/**
 * struct array_cache - a bounded stack of free objects
 * @avail: objects in it
 * @limit: most objects that it may hold
 * @batchcount: objects moved by one refill or flush
 * @entry: the objects, oldest first
 */
struct array_cache {
	unsigned int avail;
	unsigned int limit;
	unsigned int batchcount;
	void *entry[];
};

/* Bytes of an array for @limit objects. */
static inline size_t ac_bytes(unsigned int limit)
{
	return sizeof(struct array_cache) + (size_t)limit * sizeof(void *);
}

static inline void ac_init(struct array_cache *ac, unsigned int limit,
			   unsigned int batchcount)
{
	ac->avail = 0;
	ac->limit = limit;
	ac->batchcount = batchcount;
}

static inline unsigned int ac_room(const struct array_cache *ac)
{
	return ac->limit - ac->avail;
}

/*
 * Take the newest object; false if there is none, or if @limit, which is that of
 * the array, is given as 0.
 */
static __always_inline bool ac_pop(struct array_cache *ac, unsigned int limit,
				   void **obj)
{
	/* Whoever is given 0 may have interrupted a writer; he ignores it. */
	unsigned int avail = data_race(ac->avail) - 1;

	if (unlikely(avail >= limit))
		return false;
	ac->avail = avail;
	*obj = ac->entry[avail];
	return true;
}

/*
 * Is @obj the newest?  In an empty array the word before the entries is compared,
 * which is no pointer: ac_pop() asks nothing more.
 */
static __always_inline bool ac_newest_is(const struct array_cache *ac,
					 const void *obj)
{
	void *const *end = ac->entry + ac->avail;

	return end[-1] == obj;
}

/* No object's address is small, and nothing else can be in that word. */
static_assert(offsetof(struct array_cache, entry) -
	      offsetof(struct array_cache, batchcount) <= sizeof(void *));

/*
 * Add @obj as the newest; false if the array is full, or @limit given as 0, or if
 * @obj is the newest already: freed twice in a row.
 */
static __always_inline bool ac_push(struct array_cache *ac, unsigned int limit,
				    void *obj)
{
	size_t avail = data_race(ac->avail);	/* as in ac_pop() */

	/* It is an index before it is a number: saves a register. */
	OPTIMIZER_HIDE_VAR(avail);
	if (unlikely((unsigned int)avail >= limit ||
		     ac->entry[avail - 1] == obj))	/* ac_newest_is() */
		return false;
	ac->entry[avail] = obj;
	ac->avail = avail + 1;
	return true;
}

/* Take up to @max of the newest into @to; returns how many. */
static inline unsigned int ac_pop_many(struct array_cache *ac, void **to,
				       unsigned int max)
{
	unsigned int nr = min(ac->avail, max);

	ac->avail -= nr;
	memcpy(to, ac->entry + ac->avail, nr * sizeof(void *));
	return nr;
}

/* Add up to @nr of @from as the newest; returns how many fitted. */
static inline unsigned int ac_push_many(struct array_cache *ac,
					void *const *from, unsigned int nr)
{
	nr = min(nr, ac_room(ac));
	memcpy(ac->entry + ac->avail, from, nr * sizeof(void *));
	ac->avail += nr;
	return nr;
}

/* Move up to @max of the newest of @from to @to; returns how many. */
static inline unsigned int ac_transfer(struct array_cache *to,
				       struct array_cache *from,
				       unsigned int max)
{
	unsigned int nr = min3(from->avail, max, ac_room(to));

	from->avail -= nr;
	memcpy(to->entry + to->avail, from->entry + from->avail,
	       nr * sizeof(void *));
	to->avail += nr;
	return nr;
}

/* Forget the oldest @nr, whom the caller has moved elsewhere. */
static inline void ac_drop_oldest(struct array_cache *ac, unsigned int nr)
{
	ac->avail -= nr;
	memmove(ac->entry, ac->entry + nr, ac->avail * sizeof(void *));
}

#endif /* MPSLAB_ARRAY_CACHE_H */
