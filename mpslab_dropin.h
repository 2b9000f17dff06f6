/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A module that was written for kmem_cache and mempool runs on mpslab, its source
 * unchanged, when it is compiled with -include of this file, and linked with mpslab's
 * Module.symvers in KBUILD_EXTRA_SYMBOLS.  `make dropin' does both;
 * Documentation/dropin.rst tells more.
 *
 * First come the kernel's headers, with the kernel's names: their inlines, and the
 * structures in which the kernel embeds caches and pools of its own, stay what they
 * are.  Then the names become ours, by object-like macros, so that pointers to
 * functions are ours as well.  A cache of the kernel's that is passed to a function
 * of ours, or the other way round, is an error at compile time, because the types
 * differ; what has no twin here keeps the kernel's name, and is one too.
 */
#ifndef MPSLAB_DROPIN_H
#define MPSLAB_DROPIN_H

/*
 * Newer networking headers bring bsearch() with them.  A source that does not ask
 * for it may have one of its own, as dm-btree.c does, so that its name is another here,
 * and <linux/bsearch.h> is read again by whoever includes it.
 */
#include <linux/types.h>

void *mpslab_dropin_bsearch(const void *key, const void *base, size_t num,
			    size_t size, cmp_func_t cmp) __asm__("bsearch");
#define bsearch			mpslab_dropin_bsearch
#define __inline_bsearch	mpslab_dropin_inline_bsearch

/*
 * All headers whose inlines, macros or structures name caches, pools or kfree(), if
 * code in the kernel itself is at the other end.
 */
#include <linux/bio.h>
#include <linux/btree.h>
#include <linux/fs.h>
#include <linux/jbd2.h>
#include <linux/list_lru.h>
#include <linux/lru_cache.h>
#include <linux/mempool.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/posix_acl.h>
#include <linux/rcupdate.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <net/request_sock.h>

#undef bsearch
#undef __inline_bsearch
#undef _LINUX_BSEARCH_H

#include "mpslab.h"
#include "mpslab_dropin_printk.h"

/* -------------------------------------- macros that name the kernel's caches -- */

/* An inode of a file system that is ours, on a list of the kernel's. */
#undef alloc_inode_sb
#define alloc_inode_sb(sb, cache, gfp)					\
	mpslab_cache_alloc_lru(cache, &(sb)->s_inode_lru, gfp)

/* Where these are macros; 7.x has functions. */
#ifdef __getname
static inline char *mpslab_dropin_getname(void)
{
	return __getname();
}

static inline void mpslab_dropin_putname(const void *name)
{
	__putname(name);
}

#undef __getname
#undef __putname
#define __getname		mpslab_dropin_getname
#define __putname		mpslab_dropin_putname
#endif

#ifdef jbd2_alloc_handle
static inline handle_t *mpslab_dropin_jbd2_alloc_handle(gfp_t gfp)
{
	return jbd2_alloc_handle(gfp);
}

static inline struct jbd2_inode *mpslab_dropin_jbd2_alloc_inode(gfp_t gfp)
{
	return jbd2_alloc_inode(gfp);
}

#undef jbd2_alloc_handle
#undef jbd2_alloc_inode
#define jbd2_alloc_handle	mpslab_dropin_jbd2_alloc_handle
#define jbd2_alloc_inode	mpslab_dropin_jbd2_alloc_inode
#endif

/* ------------------------------------------------------------------------ slab -- */

/*
 * From 6.12 on, kmem_cache_create() takes either a struct of arguments or, as
 * always, an alignment.
 */
static inline struct mpslab_cache *
mpslab_dropin_create_no_args(const char *name, unsigned int size,
			     const void *null, slab_flags_t flags)
{
	return mpslab_cache_create_args(name, size, NULL, flags);
}

#define mpslab_dropin_create(name, size, args, ...)			\
	_Generic((args),						\
		 struct mpslab_cache_args *: mpslab_cache_create_args,	\
		 const struct mpslab_cache_args *: mpslab_cache_create_args, \
		 void *: mpslab_dropin_create_no_args,			\
		 default: mpslab_cache_create)(name, size, args, __VA_ARGS__)

/* Without a cache, the objects are found by their addresses. */
static inline void mpslab_dropin_free_bulk(struct mpslab_cache *cache,
					   size_t nr, void **objs)
{
	if (cache)
		mpslab_cache_free_bulk(cache, nr, objs);
	else
		mpslab_kfree_bulk(nr, objs);
}

#undef kmem_cache_create
#undef kmem_cache_alloc
#undef kmem_cache_alloc_node
#undef kmem_cache_alloc_lru
#undef kmem_cache_alloc_bulk
#undef kmem_cache_zalloc
#undef KMEM_CACHE
#undef KMEM_CACHE_USERCOPY

#define kmem_cache			mpslab_cache
#define kmem_cache_args			mpslab_cache_args
#define kmem_cache_create		mpslab_dropin_create
#define __kmem_cache_create_args	mpslab_cache_create_args
#define kmem_cache_create_usercopy	mpslab_cache_create_usercopy
#define kmem_cache_destroy		mpslab_cache_destroy
#define kmem_cache_shrink		mpslab_cache_shrink
#define kmem_cache_size			mpslab_cache_size
#define kmem_cache_alloc		mpslab_cache_alloc
#define kmem_cache_alloc_noprof		mpslab_cache_alloc
#define kmem_cache_zalloc		mpslab_cache_zalloc
#define kmem_cache_alloc_node		mpslab_cache_alloc_node
#define kmem_cache_alloc_node_noprof	mpslab_cache_alloc_node
#define kmem_cache_alloc_lru		mpslab_cache_alloc_lru
#define kmem_cache_alloc_lru_noprof	mpslab_cache_alloc_lru
#define kmem_cache_alloc_bulk		mpslab_cache_alloc_bulk
#define kmem_cache_alloc_bulk_noprof	mpslab_cache_alloc_bulk
#define kmem_cache_free			mpslab_cache_free
#define kmem_cache_free_bulk		mpslab_dropin_free_bulk
/* Refused: an object is charged with its page. */
#define kmem_cache_charge		mpslab_has_no_kmem_cache_charge
#define KMEM_CACHE			MPSLAB_CACHE
#define KMEM_CACHE_USERCOPY		MPSLAB_CACHE_USERCOPY

/* ----------------------------------------------------------- frees by address -- */

/*
 * What enlarges an object of ours moves it to memory of the kernel's.  All but
 * krealloc() are macros, if they are there at all, and differ from kernel to kernel.
 */
static inline void *mpslab_dropin_leave(const void *p, void *to, size_t size)
{
	if (!ZERO_OR_NULL_PTR(to))
		memcpy(to, p, min(mpslab_ksize(p), size));
	if (to)
		mpslab_kfree(p);
	return to;
}

#ifdef krealloc_node_align
static inline void *mpslab_dropin_krealloc(const void *p, size_t size,
					   unsigned long align, gfp_t gfp,
					   int nid)
{
	if (mpslab_owns(p))
		return mpslab_dropin_leave(p, krealloc_node_align(NULL, size,
								  align, gfp,
								  nid), size);
	return krealloc_node_align(p, size, align, gfp, nid);
}

static inline void *mpslab_dropin_kvrealloc(const void *p, size_t size,
					    unsigned long align, gfp_t gfp,
					    int nid)
{
	if (mpslab_owns(p))
		return mpslab_dropin_leave(p, kvrealloc_node_align(NULL, size,
								   align, gfp,
								   nid), size);
	return kvrealloc_node_align(p, size, align, gfp, nid);
}

#undef krealloc_node_align
#undef krealloc_node
#undef kvrealloc_node_align
#undef kvrealloc_node
#undef kvrealloc
#define krealloc_node_align	mpslab_dropin_krealloc
#define krealloc_node(p, size, gfp, nid) \
	mpslab_dropin_krealloc(p, size, 1, gfp, nid)
#define kvrealloc_node_align	mpslab_dropin_kvrealloc
#define kvrealloc_node(p, size, gfp, nid) \
	mpslab_dropin_kvrealloc(p, size, 1, gfp, nid)
#define kvrealloc(p, size, gfp) \
	mpslab_dropin_kvrealloc(p, size, 1, gfp, NUMA_NO_NODE)
#elif defined(kvrealloc)
static inline void *mpslab_dropin_kvrealloc(const void *p, size_t size,
					    gfp_t gfp)
{
	if (mpslab_owns(p))
		return mpslab_dropin_leave(p, kvmalloc(size, gfp), size);
	return kvrealloc(p, size, gfp);
}

#undef kvrealloc
#define kvrealloc		mpslab_dropin_kvrealloc
#else
static inline void *mpslab_dropin_kvrealloc(const void *p, size_t old,
					    size_t size, gfp_t gfp)
{
	if (!mpslab_owns(p) || old >= size)
		return kvrealloc(p, old, size, gfp);
	return mpslab_dropin_leave(p, kvmalloc(size, gfp), old);
}

#define kvrealloc		mpslab_dropin_kvrealloc
#endif

static inline void *mpslab_dropin_krealloc_array(void *p, size_t nr,
						 size_t size, gfp_t gfp)
{
	size_t bytes;

	if (check_mul_overflow(nr, size, &bytes))
		return NULL;
	return mpslab_krealloc(p, bytes, gfp);
}

#undef krealloc_array
#define krealloc_array		mpslab_dropin_krealloc_array
#undef krealloc

#define kfree			mpslab_kfree
#define kvfree			mpslab_kvfree
#define kfree_const		mpslab_kfree_const
#define kfree_sensitive		mpslab_kfree_sensitive
#define kvfree_sensitive	mpslab_kvfree_sensitive
#define kfree_bulk		mpslab_kfree_bulk
#define ksize			mpslab_ksize
#define krealloc		mpslab_krealloc

/*
 * __free(kfree) pastes the name before it is replaced.  What stands there now is the
 * kernel's, so it is replaced as well; and where a macro has replaced the name first,
 * ours must be known.
 */
#ifdef DEFINE_FREE
DEFINE_FREE(mpslab_kfree, void *, if (!IS_ERR_OR_NULL(_T)) mpslab_kfree(_T))
DEFINE_FREE(mpslab_kvfree, void *, if (!IS_ERR_OR_NULL(_T)) mpslab_kvfree(_T))
DEFINE_FREE(mpslab_kfree_sensitive, void *, if (_T) mpslab_kfree_sensitive(_T))
#define __free_kfree		__free_mpslab_kfree
#define __free_kvfree		__free_mpslab_kvfree
#define __free_kfree_sensitive	__free_mpslab_kfree_sensitive
#endif

/*
 * All forms of kfree_rcu() come down to this.  Before 6.3 the second argument is
 * the offset of the head, as if it were a function; or the object, if there is no
 * head.
 */
static inline void mpslab_dropin_free_rcu_func(void *head, rcu_callback_t func)
{
	unsigned long offset = (unsigned long)func;

	mpslab_kvfree_rcu(head, head ? head - offset : (void *)func);
}

#define kvfree_call_rcu(head, what)					\
	_Generic((what),						\
		 rcu_callback_t: mpslab_dropin_free_rcu_func,		\
		 default: mpslab_kvfree_rcu)(head, what)

/* ------------------------------------------------------------------------ pool -- */

/* Functions, lest a cache of the kernel's be passed. */
static inline int mpslab_dropin_init_slab_pool(struct mpslab_pool *pool,
					       int min_nr,
					       struct mpslab_cache *cache)
{
	return mpslab_pool_init_slab_pool(pool, min_nr, cache);
}

static inline struct mpslab_pool *
mpslab_dropin_create_slab_pool(int min_nr, struct mpslab_cache *cache)
{
	return mpslab_pool_create_slab_pool(min_nr, cache);
}

/*
 * raid1 copies a pool, and then does this to its wait queue, which here stands for
 * all that has to be made anew.
 */
static inline void mpslab_dropin_pool_moved(struct mpslab_pool_wait *wait,
					    const char *name,
					    struct lock_class_key *key)
{
	mpslab_pool_moved(container_of(wait, struct mpslab_pool, wait));
}

#undef init_waitqueue_head
#define init_waitqueue_head(wq)						\
do {									\
	static struct lock_class_key __key;				\
									\
	_Generic((wq),							\
		 struct mpslab_pool_wait *: mpslab_dropin_pool_moved,	\
		 default: __init_waitqueue_head)((wq), #wq, &__key);	\
} while (0)

#undef mempool_init
#undef mempool_create
#undef mempool_create_node
#undef mempool_alloc
#undef mempool_alloc_noreserve
#undef mempool_init_slab_pool
#undef mempool_create_slab_pool
#undef mempool_init_kmalloc_pool
#undef mempool_create_kmalloc_pool
#undef mempool_init_page_pool
#undef mempool_create_page_pool

/* The tag is mempool_s, or mempool where there are pools of many elements. */
#ifdef mempool_alloc_bulk
#undef mempool_alloc_bulk
#define mempool				mpslab_pool
#endif
#define mempool_s			mpslab_pool
#define mempool_t			struct mpslab_pool
#define mempool_alloc_t			mpslab_pool_alloc_t
#define mempool_free_t			mpslab_pool_free_t
#define mempool_initialized		mpslab_pool_initialized
#define mempool_is_saturated		mpslab_pool_is_saturated
#define mempool_init			mpslab_pool_init
#define mempool_init_noprof		mpslab_pool_init
#define mempool_init_node		mpslab_pool_init_node
#define mempool_exit			mpslab_pool_exit
#define mempool_create			mpslab_pool_create
#define mempool_create_node		mpslab_pool_create_node
#define mempool_create_node_noprof	mpslab_pool_create_node
#define mempool_destroy			mpslab_pool_destroy
#define mempool_resize			mpslab_pool_resize
#define mempool_alloc			mpslab_pool_alloc
#define mempool_alloc_noprof		mpslab_pool_alloc
#define mempool_alloc_bulk		mpslab_pool_alloc_bulk
#define mempool_alloc_bulk_noprof	mpslab_pool_alloc_bulk
#define mempool_alloc_noreserve		mpslab_pool_alloc_noreserve
#define mempool_alloc_preallocated	mpslab_pool_alloc_preallocated
#define mempool_free			mpslab_pool_free
#define mempool_free_bulk		mpslab_pool_free_bulk
#define mempool_alloc_slab		mpslab_pool_alloc_slab
#define mempool_free_slab		mpslab_pool_free_slab
#define mempool_kmalloc			mpslab_pool_kmalloc
#define mempool_kfree			mpslab_pool_kfree
#define mempool_kvmalloc		mpslab_pool_kvmalloc
#define mempool_kvfree			mpslab_pool_kvfree
#define mempool_alloc_pages		mpslab_pool_alloc_pages
#define mempool_free_pages		mpslab_pool_free_pages
#define mempool_init_slab_pool		mpslab_dropin_init_slab_pool
#define mempool_create_slab_pool	mpslab_dropin_create_slab_pool
#define mempool_init_kmalloc_pool	mpslab_pool_init_kmalloc_pool
#define mempool_create_kmalloc_pool	mpslab_pool_create_kmalloc_pool
#define mempool_init_kvmalloc_pool	mpslab_pool_init_kvmalloc_pool
#define mempool_create_kvmalloc_pool	mpslab_pool_create_kvmalloc_pool
#define mempool_init_page_pool		mpslab_pool_init_page_pool
#define mempool_create_page_pool	mpslab_pool_create_page_pool

#endif /* MPSLAB_DROPIN_H */
