using System.Collections.Immutable;
using System.Globalization;
using Broker.Lite.Diagnostics;
using Broker.Lite.Logs;
using Kafka.Protocol;
using Microsoft.Extensions.Logging;

namespace Broker.Lite.Metadata;

/// <summary>
/// The one writer of topics, settings and producer ids. A change is stored first, then carried out, then published as a new
/// <see cref="ClusterView"/>. All methods run on the broker loop; <see cref="View"/> may be read anywhere.
/// </summary>
internal sealed class TopicCatalog
{
    /// <summary>
    /// Producer ids reserved with one write of the metadata file. A restart skips what is left of a block, so that no id is given twice.
    /// </summary>
    private const int ProducerIdBlock = 1000;

    /// <summary>The most partitions all topics may have together: each costs open files and memory.</summary>
    private const int MaxPartitions = 100_000;

    private readonly MetadataFile _file;
    private readonly PartitionStore _store;
    private readonly Func<Guid> _newId;
    private readonly ILogger _logger;
    private readonly List<TopicDocument> _deleting = [];
    private long _nextProducerId;
    private long _reservedProducerIds;
    private ClusterView _view;

    private TopicCatalog(MetadataFile file, PartitionStore store, Func<Guid> newId, ILogger logger, ClusterView view)
    {
        _file = file;
        _store = store;
        _newId = newId;
        _logger = logger;
        _view = view;
    }

    /// <summary>The current picture.</summary>
    public ClusterView View => Volatile.Read(ref _view);

    /// <summary>
    /// Reads the metadata, finishes deletions that a crash interrupted, and opens all logs. Not on the loop: nothing else runs yet.
    /// </summary>
    public static TopicCatalog Open(MetadataFile file, PartitionStore store, IReadOnlyDictionary<string, string> settings, Func<Guid> newId, ILogger logger)
    {
        var document = file.Load();
        var config = ConfigOf(document, settings);
        var view = new ClusterView
        {
            // The form of Kafka's own cluster ids: 16 bytes in URL-safe base 64 without padding.
            ClusterId = document?.ClusterId ?? Convert.ToBase64String(newId().ToByteArray()).TrimEnd('=').Replace('+', '-').Replace('/', '_'),
            Config = config,
            Topics = ImmutableDictionary.Create<string, Topic>(StringComparer.Ordinal),
            TopicsById = ImmutableDictionary<Guid, Topic>.Empty,
            GroupConfigs = (document?.GroupConfigs ?? []).ToImmutableDictionary(
                entry => entry.Key, entry => entry.Value.ToImmutableSortedDictionary(StringComparer.Ordinal), StringComparer.Ordinal),
        };
        var catalog = new TopicCatalog(file, store, newId, logger, view)
        {
            _nextProducerId = document?.NextProducerId ?? 0,
            _reservedProducerIds = document?.NextProducerId ?? 0,
        };
        catalog._deleting.AddRange(document?.Topics.Where(topic => topic.Deleting) ?? []);
        foreach (var topic in document?.Topics.Where(topic => !topic.Deleting) ?? [])
        {
            var configs = topic.Configs.ToImmutableSortedDictionary(StringComparer.Ordinal);
            catalog.Publish(view = view.With(catalog.OpenTopic(topic.Name, topic.Id, topic.Partitions, configs)));
        }

        foreach (var topic in catalog._deleting.ToList())
            catalog.FinishDeletion(topic);
        foreach (var (topic, partition) in store.Existing.Where(log => view.Find(log.Topic, log.Partition) is null))
            Log.LogWithoutTopic(logger, topic, partition);
        if (document is null)
            catalog.Save(view);
        return catalog;
    }

    /// <summary>The values that the store's logs are opened with, before there is a catalog: (topic, key) → value in force.</summary>
    public static Func<string, string, string> StoredValues(MetadataFile file, IReadOnlyDictionary<string, string> settings)
    {
        var document = file.Load();
        var config = ConfigOf(document, settings);
        var topics = (document?.Topics ?? []).ToDictionary(topic => topic.Name, topic => topic.Configs, StringComparer.Ordinal);
        return (topic, key) => config.ForTopic(TopicConfigKeys.All[key], topics.GetValueOrDefault(topic) ?? []).Value;
    }

    /// <summary>Creates a topic, or only checks whether it could be created.</summary>
    public CreateTopicResult Create(NewTopic spec, bool validateOnly = false)
    {
        var view = View;
        if (TopicName.Fault(spec.Name) is { } nameFault)
            return CreateTopicResult.Failed(ErrorCode.InvalidTopicException, nameFault);
        if (view.Find(spec.Name) is not null)
            return CreateTopicResult.Failed(ErrorCode.TopicAlreadyExists, $"Topic '{spec.Name}' already exists");
        if (_deleting.Exists(topic => topic.Name == spec.Name))
            return CreateTopicResult.Failed(ErrorCode.TopicAlreadyExists, $"Topic '{spec.Name}' is still being deleted");
        var partitions = spec.Partitions ?? view.Config.Int(BrokerConfigKeys.NumPartitions);
        if (PartitionCountFault(view, 0, partitions) is { } countFault)
            return CreateTopicResult.Failed(ErrorCode.InvalidPartitions, countFault);
        if (FaultOf(TopicConfigKeys.All, spec.Configs) is { } configFault)
            return CreateTopicResult.Failed(ErrorCode.InvalidConfig, configFault);

        var configs = spec.Configs.ToImmutableSortedDictionary(entry => entry.Key, entry => entry.Value!, StringComparer.Ordinal);
        if (validateOnly)
            return new CreateTopicResult(ErrorCode.None, null, Guid.Empty, partitions, configs);

        var id = _newId();
        var empty = new Topic { Name = spec.Name, Id = id, Partitions = [], Configs = configs };
        if (!TryChange(() => Save(view.With(empty), emptyTopicPartitions: partitions)))
            return CreateTopicResult.Failed(ErrorCode.KafkaStorageError, "The metadata could not be written");
        if (!TryChange(() => Publish(view.With(OpenTopic(spec.Name, id, partitions, configs)))))
        {
            // The stored metadata must not promise a topic whose logs do not exist; should this fail too, the next start opens them.
            // The same for logs that were made before it failed: they would be in the way of the next attempt.
            TryChange(() => Save(view));
            TryChange(() => _store.Delete(spec.Name, partitions));
            return CreateTopicResult.Failed(ErrorCode.KafkaStorageError, "The topic's logs could not be created");
        }

        Log.TopicCreated(_logger, spec.Name, partitions);
        return new CreateTopicResult(ErrorCode.None, null, id, partitions, configs);
    }

    /// <summary>
    /// Removes a topic and its data. From the moment it is marked it is gone for clients; its folders may take until the next start.
    /// </summary>
    public ErrorCode Delete(Topic topic)
    {
        var document = ToDocument(topic) with { Deleting = true };
        _deleting.Add(document);
        var view = View.Without(topic);
        if (!TryChange(() => Save(view)))
        {
            _deleting.Remove(document);
            return ErrorCode.KafkaStorageError;
        }

        Publish(view);
        foreach (var partition in topic.Partitions)
            partition.MarkGone();
        Log.TopicDeleted(_logger, topic.Name);
        FinishDeletion(document);
        return ErrorCode.None;
    }

    /// <summary>Lets a topic grow to a number of partitions.</summary>
    public (ErrorCode Error, string? Message) AddPartitions(Topic topic, int count, bool validateOnly)
    {
        if (count <= topic.Partitions.Length)
            return (ErrorCode.InvalidPartitions, $"Topic '{topic.Name}' has {topic.Partitions.Length} partitions; {count} would not be more");
        if (PartitionCountFault(View, topic.Partitions.Length, count) is { } fault)
            return (ErrorCode.InvalidPartitions, fault);
        if (validateOnly)
            return (ErrorCode.None, null);

        var view = View;
        if (!TryChange(() => Save(view, grown: topic, grownPartitions: count)))
            return (ErrorCode.KafkaStorageError, "The metadata could not be written");
        var partitions = topic.Partitions.ToBuilder();
        var config = LogConfigOf(view.Config, topic.Configs);
        var opened = TryChange(() =>
        {
            for (var index = topic.Partitions.Length; index < count; index++)
                partitions.Add(_store.Open(topic.Name, topic.Id, index, config));
        });
        if (!opened)
        {
            TryChange(() => Save(view));
            return (ErrorCode.KafkaStorageError, "The partitions' logs could not be created");
        }

        Publish(view.With(topic with { Partitions = partitions.ToImmutable() }));
        Log.PartitionsAdded(_logger, topic.Name, count);
        return (ErrorCode.None, null);
    }

    /// <summary>Replaces the values set on a topic.</summary>
    public (ErrorCode Error, string? Message) SetTopicConfigs(Topic topic, IReadOnlyDictionary<string, string?> values, bool validateOnly)
    {
        if (FaultOf(TopicConfigKeys.All, values) is { } fault)
            return (ErrorCode.InvalidConfig, fault);
        if (validateOnly)
            return (ErrorCode.None, null);
        var changed = topic with { Configs = values.ToImmutableSortedDictionary(entry => entry.Key, entry => entry.Value!, StringComparer.Ordinal) };
        return Change(View.With(changed));
    }

    /// <summary>Replaces the broker settings that were altered while it ran.</summary>
    public (ErrorCode Error, string? Message) SetBrokerConfigs(IReadOnlyDictionary<string, string?> values, bool validateOnly)
    {
        if (FaultOf(BrokerConfigKeys.All, values) is { } fault)
            return (ErrorCode.InvalidConfig, fault);
        var view = View;
        var fixedKey = values.Keys.FirstOrDefault(name => BrokerConfigKeys.All[name].ReadOnly);
        if (fixedKey is not null)
            return (ErrorCode.InvalidConfig, $"{fixedKey} can be changed only by a restart");
        if (validateOnly)
            return (ErrorCode.None, null);
        var altered = values.ToImmutableDictionary(entry => entry.Key, entry => entry.Value!, StringComparer.Ordinal);
        return Change(view with { Config = view.Config with { Dynamic = altered } });
    }

    /// <summary>Replaces the values set on a group, which need not exist.</summary>
    public (ErrorCode Error, string? Message) SetGroupConfigs(string groupId, IReadOnlyDictionary<string, string?> values, bool validateOnly)
    {
        if (FaultOf(GroupConfigKeys.All, values) is { } fault)
            return (ErrorCode.InvalidConfig, fault);
        var view = View;
        var configs = values.ToImmutableSortedDictionary(entry => entry.Key, entry => entry.Value!, StringComparer.Ordinal);
        if (configs.Count > 0 && GroupConfigKeys.Fault(view.Config, configs) is { } outOfBounds)
            return (ErrorCode.InvalidConfig, outOfBounds);
        if (configs.Count > 0 && !view.GroupConfigs.ContainsKey(groupId) && view.GroupConfigs.Count >= GroupConfigKeys.MaxGroups)
            return (ErrorCode.PolicyViolation, $"{GroupConfigKeys.MaxGroups} groups have settings of their own already");
        if (validateOnly)
            return (ErrorCode.None, null);
        var changed = view with { GroupConfigs = configs.Count == 0 ? view.GroupConfigs.Remove(groupId) : view.GroupConfigs.SetItem(groupId, configs) };
        if (!TryChange(() => Save(changed)))
            return (ErrorCode.KafkaStorageError, "The metadata could not be written");
        Publish(changed);
        return (ErrorCode.None, null);
    }

    /// <summary>A producer id that was never given out before, in this run or an earlier one.</summary>
    public (ErrorCode Error, long ProducerId) NextProducerId()
    {
        if (_nextProducerId == _reservedProducerIds)
        {
            _reservedProducerIds += ProducerIdBlock;
            if (!TryChange(() => Save(View)))
            {
                _reservedProducerIds -= ProducerIdBlock;
                return (ErrorCode.CoordinatorNotAvailable, -1);
            }
        }

        return (ErrorCode.None, _nextProducerId++);
    }

    private (ErrorCode Error, string? Message) Change(ClusterView view)
    {
        if (!TryChange(() => Save(view)))
            return (ErrorCode.KafkaStorageError, "The metadata could not be written");
        Publish(view);
        foreach (var topic in view.Topics.Values)
        {
            var config = LogConfigOf(view.Config, topic.Configs);
            foreach (var partition in topic.Partitions)
                partition.Configure(config);
        }

        return (ErrorCode.None, null);
    }

    private Topic OpenTopic(string name, Guid id, int count, ImmutableSortedDictionary<string, string> configs)
    {
        var config = LogConfigOf(View.Config, configs);
        var partitions = ImmutableArray.CreateBuilder<Partition>(count);
        for (var index = 0; index < count; index++)
            partitions.Add(_store.Open(name, id, index, config));
        return new Topic { Name = name, Id = id, Partitions = partitions.MoveToImmutable(), Configs = configs };
    }

    private static LogConfig LogConfigOf(BrokerConfig config, ImmutableSortedDictionary<string, string> topicConfigs) =>
        PartitionStore.ConfigOf(key => config.ForTopic(TopicConfigKeys.All[key], topicConfigs).Value);

    private void FinishDeletion(TopicDocument topic)
    {
        try
        {
            _store.Delete(topic.Name, topic.Partitions);
            _deleting.Remove(topic);
            Save(View);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.TopicFoldersRemain(_logger, e, topic.Name);
        }
    }

    /// <summary>Runs a step that touches the disk; false, and logged, if the disk says no.</summary>
    private bool TryChange(Action step)
    {
        try
        {
            step();
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Log.MetadataChangeFailed(_logger, e);
            return false;
        }
    }

    private static BrokerConfig ConfigOf(MetadataDocument? document, IReadOnlyDictionary<string, string> settings) => new(
        settings.ToImmutableDictionary(StringComparer.Ordinal),
        (document?.BrokerConfigs ?? []).ToImmutableDictionary(StringComparer.Ordinal));

    private void Publish(ClusterView view) => Volatile.Write(ref _view, view);

    private void Save(ClusterView view, Topic? grown = null, int grownPartitions = 0, int emptyTopicPartitions = 0)
    {
        var topics = view.Topics.Values.OrderBy(topic => topic.Name, StringComparer.Ordinal).Select(topic => ToDocument(topic) with
        {
            Partitions = topic == grown ? grownPartitions : topic.Partitions.IsEmpty ? emptyTopicPartitions : topic.Partitions.Length,
        });
        _file.Save(new MetadataDocument
        {
            ClusterId = view.ClusterId,
            NextProducerId = _reservedProducerIds,
            BrokerConfigs = new SortedDictionary<string, string>(view.Config.Dynamic, StringComparer.Ordinal),
            GroupConfigs = new(
                view.GroupConfigs.ToDictionary(entry => entry.Key, entry => new SortedDictionary<string, string>(entry.Value.ToDictionary(), StringComparer.Ordinal)),
                StringComparer.Ordinal),
            Topics = [.. topics, .. _deleting],
        });
    }

    private static TopicDocument ToDocument(Topic topic) => new()
    {
        Name = topic.Name,
        Id = topic.Id,
        Partitions = topic.Partitions.Length,
        Configs = new SortedDictionary<string, string>(topic.Configs.ToDictionary(), StringComparer.Ordinal),
    };

    private static string? PartitionCountFault(ClusterView view, int now, int count)
    {
        if (count < 1)
            return $"A topic needs at least 1 partition, not {count}";
        var others = view.Topics.Values.Sum(topic => (long)topic.Partitions.Length) - now;
        return others + count > MaxPartitions
            ? string.Create(CultureInfo.InvariantCulture, $"With {count} partitions the broker would have more than {MaxPartitions}")
            : null;
    }

    private static string? FaultOf(IReadOnlyDictionary<string, ConfigKey> keys, IEnumerable<KeyValuePair<string, string?>> values)
    {
        var faults = string.Join("; ", ConfigRules.Faults(keys, values));
        return faults.Length == 0 ? null : faults;
    }
}
