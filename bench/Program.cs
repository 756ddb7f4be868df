using Bench.Engine;
using Streams.Core;
EngineRun.Run(new Probe(), 3_000_000, 6_000_000, Console.Out);
EngineRun.Run(new Probe(), 1_000_000, 6_000_000, Console.Out);
sealed class Probe : EngineScenario {
  public override string Name => "stateless-papi";
  public override Topology Build() => new Topology()
    .AddSource("s", new SourceOptions<string,string>{KeyDeserializer=Serdes.String, ValueDeserializer=Serdes.String}, "input")
    .AddProcessor("f", () => new F(), "s").AddProcessor("m", () => new M(), "f")
    .AddSink("o", "output", new SinkOptions<string,string>{KeySerializer=Serdes.String, ValueSerializer=Serdes.String}, "m");
  public override void WriteKey(long i, Span<byte> k) { k.Fill((byte)'0'); var v = i % 100000; for (int p=11; v>0; p--) { k[p]=(byte)('0'+v%10); v/=10; } }
  public override double StringBytesPerRecord() => 48+128+0.9*128;
  sealed class F : Processor<string,string,string,string> { public override void Process(in Record<string,string> r) { if (r.Key[11] != '7') Forward(in r); } }
  sealed class M : Processor<string,string,string,string> { public override void Process(in Record<string,string> r) => Forward(r.WithValue(r.Value.ToUpperInvariant())); }
}
