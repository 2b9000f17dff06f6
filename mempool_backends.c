// SPDX-License-Identifier: GPL-2.0
/*
 * The backends that come with the pool: an mpslab cache, kmalloc(), page blocks.
 */
#include <linux/export.h>
#include <linux/gfp.h>
#include <linux/slab.h>

#include "mpslab.h"

/**
 * mpslab_pool_alloc_slab() - backend: an object of an mpslab cache
 * @gfp: allocation flags
 * @pool_data: the cache; without a constructor
 *
 * Context: as mpslab_cache_alloc().
 * Return: as mpslab_cache_alloc().
 */
void *mpslab_pool_alloc_slab(gfp_t gfp, void *pool_data)
{
	return mpslab_cache_alloc(pool_data, gfp);
}
EXPORT_SYMBOL_GPL(mpslab_pool_alloc_slab);

/**
 * mpslab_pool_free_slab() - backend: free an object of an mpslab cache
 * @element: the object
 * @pool_data: the cache
 *
 * Context: as mpslab_cache_free().
 */
void mpslab_pool_free_slab(void *element, void *pool_data)
{
	mpslab_cache_free(pool_data, element);
}
EXPORT_SYMBOL_GPL(mpslab_pool_free_slab);

/**
 * mpslab_pool_kmalloc() - backend: the kernel's kmalloc()
 * @gfp: allocation flags
 * @pool_data: size in bytes
 *
 * Context: as kmalloc().
 * Return: the memory or NULL.
 */
void *mpslab_pool_kmalloc(gfp_t gfp, void *pool_data)
{
	return kmalloc((size_t)pool_data, gfp);
}
EXPORT_SYMBOL_GPL(mpslab_pool_kmalloc);

/**
 * mpslab_pool_kfree() - backend: the kernel's kfree()
 * @element: what mpslab_pool_kmalloc() returned
 * @pool_data: unused
 *
 * Context: as kfree().
 */
void mpslab_pool_kfree(void *element, void *pool_data)
{
	kfree(element);
}
EXPORT_SYMBOL_GPL(mpslab_pool_kfree);

/**
 * mpslab_pool_alloc_pages() - backend: the kernel's alloc_pages()
 * @gfp: allocation flags
 * @pool_data: order of the page block
 *
 * Context: as alloc_pages().
 * Return: the struct page, or NULL.
 */
void *mpslab_pool_alloc_pages(gfp_t gfp, void *pool_data)
{
	return alloc_pages(gfp, (unsigned int)(long)pool_data);
}
EXPORT_SYMBOL_GPL(mpslab_pool_alloc_pages);

/**
 * mpslab_pool_free_pages() - backend: the kernel's __free_pages()
 * @element: the struct page
 * @pool_data: order of the page block
 *
 * Context: as __free_pages().
 */
void mpslab_pool_free_pages(void *element, void *pool_data)
{
	__free_pages(element, (unsigned int)(long)pool_data);
}
EXPORT_SYMBOL_GPL(mpslab_pool_free_pages);
