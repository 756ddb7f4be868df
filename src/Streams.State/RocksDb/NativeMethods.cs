using System.Runtime.InteropServices;

namespace Streams.State.RocksDb;

/// <summary>
/// The part of RocksDB's C API (<c>rocksdb/c.h</c>) that the stores use. Lengths are <c>size_t</c>; errors come back as a string to be freed.
/// </summary>
internal static unsafe partial class NativeMethods
{
    private const string Library = RocksDbLibrary.Name;

    // The database.
    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint rocksdb_open_column_families(
        NativeHandle options, string path, int count, byte** names, nint* columnOptions, nint* columns, byte** error);

    [LibraryImport(Library)]
    internal static partial void rocksdb_close(nint database);

    [LibraryImport(Library)]
    internal static partial void rocksdb_column_family_handle_destroy(nint column);

    [LibraryImport(Library)]
    internal static partial nint rocksdb_get_pinned_cf(RocksDbHandle database, NativeHandle readOptions, nint column, byte* key, nuint keyLength, byte** error);

    [LibraryImport(Library)]
    internal static partial byte* rocksdb_pinnableslice_value(nint slice, nuint* length);

    [LibraryImport(Library)]
    internal static partial void rocksdb_pinnableslice_destroy(nint slice);

    [LibraryImport(Library)]
    internal static partial void rocksdb_write(RocksDbHandle database, NativeHandle writeOptions, NativeHandle batch, byte** error);

    [LibraryImport(Library)]
    internal static partial void rocksdb_flush_cf(RocksDbHandle database, NativeHandle flushOptions, nint column, byte** error);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int rocksdb_property_int_cf(RocksDbHandle database, nint column, string name, ulong* value);

    [LibraryImport(Library)]
    internal static partial void rocksdb_free(void* memory);

    // Write batches.
    [LibraryImport(Library)]
    internal static partial nint rocksdb_writebatch_create();

    [LibraryImport(Library)]
    internal static partial void rocksdb_writebatch_destroy(nint batch);

    [LibraryImport(Library)]
    internal static partial void rocksdb_writebatch_clear(NativeHandle batch);

    [LibraryImport(Library)]
    internal static partial void rocksdb_writebatch_put_cf(NativeHandle batch, nint column, byte* key, nuint keyLength, byte* value, nuint valueLength);

    [LibraryImport(Library)]
    internal static partial void rocksdb_writebatch_delete_cf(NativeHandle batch, nint column, byte* key, nuint keyLength);

    [LibraryImport(Library)]
    internal static partial void rocksdb_writebatch_delete_range_cf(NativeHandle batch, nint column, byte* from, nuint fromLength, byte* to, nuint toLength);

    // Iterators.
    [LibraryImport(Library)]
    internal static partial nint rocksdb_create_iterator_cf(RocksDbHandle database, NativeHandle readOptions, nint column);

    [LibraryImport(Library)]
    internal static partial void rocksdb_iter_destroy(nint iterator);

    [LibraryImport(Library)]
    internal static partial byte rocksdb_iter_valid(nint iterator);

    [LibraryImport(Library)]
    internal static partial void rocksdb_iter_seek_to_first(nint iterator);

    [LibraryImport(Library)]
    internal static partial void rocksdb_iter_seek_to_last(nint iterator);

    [LibraryImport(Library)]
    internal static partial void rocksdb_iter_seek(nint iterator, byte* key, nuint keyLength);

    [LibraryImport(Library)]
    internal static partial void rocksdb_iter_seek_for_prev(nint iterator, byte* key, nuint keyLength);

    [LibraryImport(Library)]
    internal static partial void rocksdb_iter_next(nint iterator);

    [LibraryImport(Library)]
    internal static partial void rocksdb_iter_prev(nint iterator);

    [LibraryImport(Library)]
    internal static partial byte* rocksdb_iter_key(nint iterator, nuint* length);

    [LibraryImport(Library)]
    internal static partial byte* rocksdb_iter_value(nint iterator, nuint* length);

    [LibraryImport(Library)]
    internal static partial void rocksdb_iter_get_error(nint iterator, byte** error);

    // Options.
    [LibraryImport(Library)]
    internal static partial nint rocksdb_options_create();

    [LibraryImport(Library)]
    internal static partial void rocksdb_options_destroy(nint options);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial void rocksdb_get_options_from_string(NativeHandle from, string options, NativeHandle to, byte** error);

    [LibraryImport(Library)]
    internal static partial void rocksdb_options_set_create_if_missing(NativeHandle options, byte value);

    [LibraryImport(Library)]
    internal static partial void rocksdb_options_set_create_missing_column_families(NativeHandle options, byte value);

    [LibraryImport(Library)]
    internal static partial void rocksdb_options_set_max_open_files(NativeHandle options, int value);

    [LibraryImport(Library)]
    internal static partial void rocksdb_options_set_info_log_level(NativeHandle options, int value);

    [LibraryImport(Library)]
    internal static partial void rocksdb_options_set_keep_log_file_num(NativeHandle options, nuint value);

    [LibraryImport(Library)]
    internal static partial void rocksdb_options_set_stats_dump_period_sec(NativeHandle options, uint value);

    [LibraryImport(Library)]
    internal static partial void rocksdb_options_set_write_buffer_size(NativeHandle options, nuint value);

    [LibraryImport(Library)]
    internal static partial void rocksdb_options_set_max_write_buffer_number(NativeHandle options, int value);

    [LibraryImport(Library)]
    internal static partial void rocksdb_options_set_compaction_style(NativeHandle options, int value);

    [LibraryImport(Library)]
    internal static partial void rocksdb_options_set_compression(NativeHandle options, int value);

    [LibraryImport(Library)]
    internal static partial void rocksdb_options_set_block_based_table_factory(NativeHandle options, NativeHandle tableOptions);

    [LibraryImport(Library)]
    internal static partial nint rocksdb_block_based_options_create();

    [LibraryImport(Library)]
    internal static partial void rocksdb_block_based_options_destroy(nint options);

    [LibraryImport(Library)]
    internal static partial void rocksdb_block_based_options_set_block_cache(NativeHandle options, NativeHandle cache);

    [LibraryImport(Library)]
    internal static partial void rocksdb_block_based_options_set_block_size(NativeHandle options, nuint value);

    [LibraryImport(Library)]
    internal static partial void rocksdb_block_based_options_set_cache_index_and_filter_blocks(NativeHandle options, byte value);

    [LibraryImport(Library)]
    internal static partial void rocksdb_block_based_options_set_cache_index_and_filter_blocks_with_high_priority(NativeHandle options, byte value);

    [LibraryImport(Library)]
    internal static partial void rocksdb_block_based_options_set_index_type(NativeHandle options, int type);

    [LibraryImport(Library)]
    internal static partial void rocksdb_block_based_options_set_partition_filters(NativeHandle options, byte value);

    [LibraryImport(Library)]
    internal static partial void rocksdb_block_based_options_set_pin_top_level_index_and_filter(NativeHandle options, byte value);

    // The table options take the policy over and free it.
    [LibraryImport(Library)]
    internal static partial void rocksdb_block_based_options_set_filter_policy(NativeHandle options, nint policy);

    [LibraryImport(Library)]
    internal static partial nint rocksdb_filterpolicy_create_bloom_full(double bitsPerKey);

    [LibraryImport(Library)]
    internal static partial nint rocksdb_cache_create_lru(nuint capacity);

    [LibraryImport(Library)]
    internal static partial void rocksdb_cache_destroy(nint cache);

    [LibraryImport(Library)]
    internal static partial nint rocksdb_readoptions_create();

    [LibraryImport(Library)]
    internal static partial void rocksdb_readoptions_destroy(nint options);

    [LibraryImport(Library)]
    internal static partial nint rocksdb_writeoptions_create();

    [LibraryImport(Library)]
    internal static partial void rocksdb_writeoptions_destroy(nint options);

    [LibraryImport(Library)]
    internal static partial void rocksdb_writeoptions_disable_WAL(NativeHandle options, int value);

    [LibraryImport(Library)]
    internal static partial nint rocksdb_flushoptions_create();

    [LibraryImport(Library)]
    internal static partial void rocksdb_flushoptions_destroy(nint options);

    [LibraryImport(Library)]
    internal static partial void rocksdb_flushoptions_set_wait(NativeHandle options, byte value);
}
