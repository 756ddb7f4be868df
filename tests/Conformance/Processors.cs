using System.Text;
using Streams.Core;

namespace Conformance;

/// <summary>The processors of the case format, by kind.</summary>
internal static class Processors
{
    /// <summary>Whether a kind keeps something in its store.</summary>
    public static bool NeedsStore(string kind) => kind is "dedupe" or "punctuateStream" or "punctuateWall" or "range";

    public static Func<Processor<string, string, string, string>> Of(Fields step, string kind, string? store)
    {
        var everyMs = step.OptionalNumber("everyMs");
        var every = TimeSpan.FromMilliseconds(everyMs ?? 0);
        return kind switch
        {
            "dedupe" => () => new Dedupe(store!),
            "punctuateStream" => () => new Collect(store!, PunctuationType.StreamTime, every),
            "punctuateWall" => () => new Collect(store!, PunctuationType.WallClockTime, every),
            "header" => static () => new Header(),
            "shift" => () => new Shift(everyMs ?? throw new CaseFormatException("a shift needs everyMs")),
            "meta" => static () => new Meta(),
            "range" => () => new RangeReader(store!),
            _ => throw step.Unknown("kind of processor", kind),
        };
    }

    private abstract class WithStore(string name) : Processor<string, string, string, string>
    {
        protected IKeyValueStore<string, string> Store { get; private set; } = null!;

        protected override void Init() => Store = Context.GetStateStore<IKeyValueStore<string, string>>(name);
    }

    private sealed class Dedupe(string store) : WithStore(store)
    {
        public override void Process(in Record<string, string> record)
        {
            if (!record.HasKey || !record.HasValue) return;
            var entry = $"{record.Key}:{record.Value}";
            if (Store.TryGet(entry, out _)) return;
            Store.Put(entry, "1");
            Forward(in record);
        }
    }

    private sealed class Collect(string store, PunctuationType type, TimeSpan every) : WithStore(store)
    {
        public override void Process(in Record<string, string> record)
        {
            if (!record.HasKey) return;
            var value = record.HasValue ? record.Value : "null";
            Store.Put(record.Key, Store.TryGet(record.Key, out var before) ? before + value : value);
        }

        protected override void Init()
        {
            base.Init();
            Context.Schedule(every, type, Emit);
        }

        private void Emit(long timestamp)
        {
            foreach (var (key, value) in Store.All().AsEnumerable().ToList())
            {
                Forward(new Record<string, string>(key, value, timestamp));
                Store.Delete(key);
            }
        }
    }

    private sealed class Header : Processor<string, string, string, string>
    {
        public override void Process(in Record<string, string> record) =>
            Forward(record.WithHeaders(record.Headers.Add("seen", record.HasKey ? record.Key : "?")));
    }

    private sealed class Shift(long byMs) : Processor<string, string, string, string>
    {
        public override void Process(in Record<string, string> record) => Forward(record.WithTimestamp(record.Timestamp + byMs));
    }

    private sealed class Meta : Processor<string, string, string, string>
    {
        public override void Process(in Record<string, string> record)
        {
            var source = Context.RecordMetadata ?? throw new InvalidOperationException("the case asks for the metadata of a record that has none");
            Forward(record.WithValue($"{(record.HasValue ? record.Value : "null")}@{source.Topic}/{source.Offset}/{Context.CurrentStreamTimeMs}"));
        }
    }

    private sealed class RangeReader(string store) : WithStore(store)
    {
        public override void Process(in Record<string, string> record)
        {
            Store.Put(record.HasKey ? record.Key : "null", record.HasValue ? record.Value : "null");
            var text = new StringBuilder();
            foreach (var (key, value) in Store.Range("b", "d").AsEnumerable()) text.Append(key).Append('=').Append(value).Append(';');
            text.Append('<');
            foreach (var (key, _) in Store.ReverseAll().AsEnumerable()) text.Append(key);
            Forward(record.WithValue(text.ToString()));
        }
    }
}
