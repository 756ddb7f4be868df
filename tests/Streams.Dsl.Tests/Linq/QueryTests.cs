using System.Reflection;
using Streams.Testing;
using Xunit;

namespace Streams.Dsl.Tests.Linq;

/// <summary>Queries give the topology of the fluent form, and its results.</summary>
public sealed class QueryTests
{
    private static readonly TimeWindows _windows = TimeWindows.OfSizeWithNoGrace(TimeSpan.FromMinutes(5));

    [Fact]
    public void Where_and_select_are_filter_and_map_values() => Same(
        builder =>
        {
            var result =
                from text in builder.Stream<string, string>("in")
                where text.Length > 2
                select text.Length;
            result.To("out");
        },
        builder => builder.Stream<string, string>("in").Filter(text => text.Length > 2).MapValues(text => text.Length).To("out"));

    [Fact]
    public void Several_from_clauses_flatten() => Same(
        builder =>
        {
            var result =
                from line in builder.Stream<string, string>("in")
                from word in line.Split(' ')
                select word;
            result.To("out");
        },
        builder => builder.Stream<string, string>("in").FlatMapValues(line => line.Split(' ')).To("out"));

    [Fact]
    public void Let_is_a_map_values() => Same(
        builder =>
        {
            var result =
                from text in builder.Stream<string, string>("in")
                let length = text.Length
                where length > 2
                select text + length;
            result.To("out");
        },
        builder => builder.Stream<string, string>("in")
            .MapValues(text => new { text, length = text.Length }).Filter(each => each.length > 2).MapValues(each => each.text + each.length).To("out"));

    [Fact]
    public void Join_with_a_table_rekeys_and_repartitions() => Same(
        builder =>
        {
            var result =
                from order in builder.Stream<string, Order>("orders")
                join customer in builder.Table<string, Customer>("customers") on order.CustomerId equals customer.Id
                select new Enriched(order, customer);
            result.MapValues(each => each.Customer.City).To("out");
        },
        builder =>
        {
            var orders = builder.Stream<string, Order>("orders");
            var customers = builder.Table<string, Customer>("customers");
            orders.SelectKey((_, order) => order.CustomerId).Join(customers, (order, customer) => new Enriched(order, customer))
                .MapValues(each => each.Customer.City).To("out");
        });

    [Fact]
    public void Join_on_the_same_key_does_not_repartition() => Same(
        builder =>
        {
            var result =
                from order in builder.Stream<string, Order>("orders")
                join customer in builder.Table<string, Customer>("customers") on RecordKey.Same equals RecordKey.Same
                select customer.City;
            result.To("out");
        },
        builder => builder.Stream<string, Order>("orders").Join(builder.Table<string, Customer>("customers"), (_, customer) => customer.City).To("out"));

    [Fact]
    public void Join_with_a_table_that_may_have_no_row_is_a_left_join() => Same(
        builder =>
        {
            var result =
                from order in builder.Stream<string, Order>("orders")
                join customer in builder.Table<string, Customer>("customers").OrNone() on order.CustomerId equals customer.Id
                select customer?.City ?? "nowhere";
            result.To("out");
        },
        builder =>
        {
            var orders = builder.Stream<string, Order>("orders");
            var customers = builder.Table<string, Customer>("customers");
            orders.SelectKey((_, order) => order.CustomerId).LeftJoin(customers, (order, customer) => customer?.City ?? "nowhere").To("out");
        });

    [Fact]
    public void Join_with_a_global_table_keeps_the_key() => Same(
        builder =>
        {
            var customers = builder.GlobalTable<string, Customer>("customers");
            var result =
                from order in builder.Stream<string, Order>("orders")
                join customer in customers on order.CustomerId equals customer.Id
                select customer.City;
            result.To("out");
        },
        builder =>
        {
            var customers = builder.GlobalTable<string, Customer>("customers");
            builder.Stream<string, Order>("orders").Join(customers, (_, order) => order.CustomerId, (_, customer) => customer.City).To("out");
        });

    [Fact]
    public void Join_of_streams_within_a_time() => Same(
        builder =>
        {
            var result =
                from one in builder.Stream<string, Order>("one")
                join two in builder.Stream<string, Order>("two").Within(JoinWindows.OfTimeDifferenceWithNoGrace(TimeSpan.FromSeconds(5))) on one.CustomerId equals two.CustomerId
                select one.Total + two.Total;
            result.To("out");
        },
        builder =>
        {
            var one = builder.Stream<string, Order>("one");
            var two = builder.Stream<string, Order>("two");
            one.SelectKey((_, order) => order.CustomerId)
                .Join(two.SelectKey((_, order) => order.CustomerId), (first, second) => first.Total + second.Total, JoinWindows.OfTimeDifferenceWithNoGrace(TimeSpan.FromSeconds(5)))
                .To("out");
        });

    [Fact]
    public void Join_of_tables_by_foreign_key_and_by_key() => Same(
        builder =>
        {
            var orders = builder.Table<string, Order>("orders");
            var customers = builder.Table<string, Customer>("customers");
            var byForeignKey =
                from order in orders
                join customer in customers on order.CustomerId equals customer.Id
                select customer.City;
            var byKey =
                from city in byForeignKey
                join order in orders on RecordKey.Same equals RecordKey.Same
                select city + order.Total;
            byKey.ToStream().To("out");
        },
        builder =>
        {
            var orders = builder.Table<string, Order>("orders");
            var customers = builder.Table<string, Customer>("customers");
            orders.Join(customers, order => order.CustomerId, (_, customer) => customer.City).Join(orders, (city, order) => city + order.Total).ToStream().To("out");
        });

    [Fact]
    public void Group_by_with_windows_is_a_windowed_aggregation() => Same(
        builder =>
        {
            var result =
                from order in builder.Stream<string, Order>("orders")
                group order by order.CustomerId into customer
                select customer.WindowedBy(_windows).Count();
            result.ToStream((window, _) => window.Key).To("out");
        },
        builder => builder.Stream<string, Order>("orders").GroupBy((_, order) => order.CustomerId).WindowedBy(_windows).Count()
            .ToStream((window, _) => window.Key).To("out"));

    [Fact]
    public void Group_of_an_element_maps_before_it_groups() => Same(
        builder =>
        {
            var result =
                from order in builder.Stream<string, Order>("orders")
                group order.Total by order.CustomerId into customer
                select customer.Reduce((one, other) => one + other);
            result.ToStream().To("out");
        },
        builder => builder.Stream<string, Order>("orders").Map((_, order) => KeyValuePair.Create(order.CustomerId, order.Total)).GroupByKey()
            .Reduce((one, other) => one + other).ToStream().To("out"));

    [Fact]
    public void Group_of_a_table_counts_rows() => Same(
        builder =>
        {
            var result =
                from customer in builder.Table<string, Customer>("customers")
                where customer.City != ""
                group customer by customer.City into city
                select city.Count();
            result.ToStream().To("out");
        },
        builder => builder.Table<string, Customer>("customers").Filter((_, customer) => customer.City != "")
            .GroupBy((_, customer) => KeyValuePair.Create(customer.City, customer)).Count().ToStream().To("out"));

    [Fact]
    public void Query_of_joins_and_groups_gives_its_results()
    {
        var builder = NewBuilder();
        var orders = builder.Stream<string, Order>("orders");
        var customers = builder.Table<string, Customer>("customers");
        var enriched =
            from order in orders
            where order.Total > 100
            join customer in customers on order.CustomerId equals customer.Id
            select new Enriched(order, customer);
        var perCity =
            from each in enriched
            group each by (each.Customer.City, each.Order.Total > 500) into city
            select city.Count();
        perCity.ToStream((key, _) => $"{key.City}/{key.Item2}").To("out");

        using var driver = new TopologyTestDriver(builder.Build(), options: new() { PartitionsPerTopic = 3 });
        var registry = Registry();
        Assert.True(registry.TryGet<Order>(out var orderSerde));
        Assert.True(registry.TryGet<Customer>(out var customerSerde));
        var customerTopic = driver.CreateInputTopic("customers", Serdes.String, customerSerde);
        customerTopic.PipeInput("c1", new Customer("c1", "Rome"));
        customerTopic.PipeInput("c2", new Customer("c2", "Oslo"));
        var orderTopic = driver.CreateInputTopic("orders", Serdes.String, orderSerde);
        foreach (var (id, total) in ((string, int)[])[("c1", 200), ("c2", 600), ("c1", 50), ("c1", 300), ("c3", 900)]) orderTopic.PipeInput("o", new Order(id, total));

        Assert.Equal(
            new Dictionary<string, long> { ["Rome/False"] = 2, ["Oslo/True"] = 1 }.OrderBy(each => each.Key),
            driver.CreateOutputTopic<string, long>("out").ReadKeyValuesToMap().OrderBy(each => each.Key));
    }

    [Fact]
    public void Naming_something_else_than_the_tables_key_is_an_error_with_both_keys()
    {
        var builder = NewBuilder();
        var result =
            from order in builder.Stream<string, Order>("orders")
            join customer in builder.Table<string, Customer>("customers") on order.CustomerId equals customer.City
            select customer.City;
        result.To("out");
        using var driver = new TopologyTestDriver(builder.Build());
        var registry = Registry();
        registry.TryGet<Order>(out var orderSerde);
        registry.TryGet<Customer>(out var customerSerde);
        driver.CreateInputTopic("customers", Serdes.String, customerSerde!).PipeInput("c1", new Customer("c1", "Rome"));
        var failure = Assert.Throws<ProcessorException>(() => driver.CreateInputTopic("orders", Serdes.String, orderSerde!).PipeInput("o", new Order("c1", 1)));
        Assert.Contains("'c1'", failure.InnerException!.Message, StringComparison.Ordinal);
        Assert.Contains("'Rome'", failure.InnerException!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Two_joins_in_one_query_carry_their_sides_through_repartition_topics()
    {
        var builder = NewBuilder();
        var result =
            from order in builder.Stream<string, Order>("orders")
            join customer in builder.Table<string, Customer>("customers") on order.CustomerId equals customer.Id
            join population in builder.Table<string, long>("cities") on customer.City equals CityOf(population)
            select $"{order.Total} {customer.City} {population}";
        result.To("out");
        using var driver = new TopologyTestDriver(builder.Build());
        var registry = Registry();
        registry.TryGet<Order>(out var orderSerde);
        registry.TryGet<Customer>(out var customerSerde);
        driver.CreateInputTopic<string, long>("cities").PipeInput("Rome", 3);
        driver.CreateInputTopic("customers", Serdes.String, customerSerde!).PipeInput("c1", new Customer("c1", "Rome"));
        driver.CreateInputTopic("orders", Serdes.String, orderSerde!).PipeInput("o", new Order("c1", 7));
        Assert.Equal("7 Rome 3", driver.CreateOutputTopic<string, string>("out").ReadValue());
    }

    [Theory]
    [InlineData(typeof(StreamQueryExtensions))]
    [InlineData(typeof(TableQueryExtensions))]
    public void Ordering_does_not_compile_and_says_why(Type queries)
    {
        foreach (var name in (string[])["OrderBy", "OrderByDescending", "ThenBy", "ThenByDescending"])
        {
            var obsolete = queries.GetMethod(name)!.GetCustomAttribute<ObsoleteAttribute>()!;
            Assert.True(obsolete.IsError);
            Assert.Contains("cannot be ordered", obsolete.Message, StringComparison.Ordinal);
        }
    }

    private static string CityOf(long population) => population == 3 ? "Rome" : "";

    private static void Same(Action<StreamsBuilder> query, Action<StreamsBuilder> fluent)
    {
        var one = NewBuilder();
        var other = NewBuilder();
        query(one);
        fluent(other);
        Assert.Equal(other.Build().Describe().ToString(), one.Build().Describe().ToString());
    }

    private static StreamsBuilder NewBuilder() => new(new StreamsBuilderOptions { Serdes = Registry() });

    private static SerdeRegistry Registry() => new SerdeRegistry()
        .Add<Order>(new TextSerde<Order>(order => $"{order.CustomerId}|{order.Total}", parts => new Order(parts[0], int.Parse(parts[1], null))))
        .Add<Customer>(new TextSerde<Customer>(customer => $"{customer.Id}|{customer.City}", parts => new Customer(parts[0], parts[1])));

    private sealed record Order(string CustomerId, int Total);

    private sealed record Customer(string Id, string City);

    private sealed record Enriched(Order Order, Customer Customer);

    private sealed class TextSerde<T>(Func<T, string> write, Func<string[], T> read) : ISerde<T>
    {
        public void Serialize(T value, System.Buffers.IBufferWriter<byte> output) => Serdes.String.Serialize(write(value), output);

        public T Deserialize(ReadOnlySpan<byte> data) => read(Serdes.String.Deserialize(data).Split('|'));
    }
}
