using System.Text;
using Broker.Lite.Security.Sasl;

namespace Broker.Lite.Tests.Security;

/// <summary>The server's side of SCRAM, message by message, with clients that know the password and break the protocol all the same.</summary>
public sealed class ScramExchangeTests
{
    private const string Password = "pencil";
    private const string ClientNonce = "fyko+d2lbbFgONRv9qkxdawL";
    private static readonly byte[] _decoy = new byte[32];

    public static TheoryData<string> Mechanisms { get; } = ["SCRAM-SHA-256", "SCRAM-SHA-512"];

    [Theory]
    [MemberData(nameof(Mechanisms))]
    public void Client_that_proves_the_password_is_let_in_and_gets_the_servers_proof(string name)
    {
        var talk = new Talk(name);
        var step = talk.Finish(talk.Nonce);
        Assert.True(step.IsComplete);
        Assert.Equal("alice", step.User);
        Assert.Equal(talk.ExpectedAnswer, Encoding.UTF8.GetString(step.Answer));
    }

    [Theory]
    [MemberData(nameof(Mechanisms))]
    public void Nonce_of_old_librdkafka_which_repeats_its_own_part_is_let_in(string name)
    {
        var talk = new Talk(name);
        Assert.True(talk.Finish(ClientNonce + talk.Nonce).IsComplete);
    }

    [Theory]
    [InlineData("")]
    [InlineData(ClientNonce)]
    [InlineData(ClientNonce + ClientNonce)]
    [InlineData("{client}x{server}")]
    [InlineData("{server}")]
    [InlineData("{server}{client}")]
    [InlineData("{client}{server}{server}")]
    [InlineData("{client}{client}{client}{server}")]
    [InlineData("{client}{server}x")]
    [InlineData("x{client}{server}")]
    [InlineData("{client}{server-of-another-login}")]
    public void Wrong_nonce_is_refused_although_the_proof_fits_it(string nonce)
    {
        foreach (var name in new[] { "SCRAM-SHA-256", "SCRAM-SHA-512" })
        {
            var talk = new Talk(name);
            var sent = nonce
                .Replace("{client}", ClientNonce, StringComparison.Ordinal)
                .Replace("{server}", talk.Nonce[ClientNonce.Length..], StringComparison.Ordinal)
                .Replace("{server-of-another-login}", new Talk(name).Nonce[ClientNonce.Length..], StringComparison.Ordinal);
            Assert.Throws<SaslException>(() => talk.Finish(sent));
        }
    }

    [Fact]
    public void Servers_part_of_the_nonce_is_long_and_new_each_time()
    {
        var nonces = Enumerable.Range(0, 100).Select(_ => new Talk("SCRAM-SHA-256").Nonce).ToList();
        Assert.All(nonces, nonce => Assert.StartsWith(ClientNonce, nonce, StringComparison.Ordinal));
        Assert.All(nonces, nonce => Assert.True(Convert.FromBase64String(nonce[ClientNonce.Length..]).Length >= 16));
        Assert.Equal(nonces.Count, nonces.Distinct().Count());
    }

    [Fact]
    public void Recorded_login_cannot_be_played_again()
    {
        var recorded = new Talk("SCRAM-SHA-256");
        var final = recorded.Final(recorded.Nonce);
        Assert.True(recorded.Exchange.Next(Encoding.UTF8.GetBytes(final)).IsComplete);
        var again = new Talk("SCRAM-SHA-256");
        Assert.Throws<SaslException>(() => again.Exchange.Next(Encoding.UTF8.GetBytes(final)));
    }

    [Theory]
    [InlineData("n,,n=alice")]
    [InlineData("n,,n=alice,r=")]
    [InlineData("n,,n=,r=abc")]
    [InlineData("n,,r=abc,n=alice")]
    [InlineData("p=tls-unique,,n=alice,r=abc")]
    [InlineData("n,a=bob,n=alice,r=abc")]
    [InlineData("n")]
    [InlineData("")]
    public void First_message_without_what_it_needs_is_refused(string first)
    {
        var exchange = new ScramExchange(ScramMechanism.Sha256, _ => null, _decoy);
        Assert.Throws<SaslException>(() => exchange.Next(Encoding.UTF8.GetBytes(first)));
    }

    [Theory]
    [InlineData("c=biws,r={nonce}")]
    [InlineData("c=eSws,r={nonce},p={proof}")]
    [InlineData("r={nonce},c=biws,p={proof}")]
    [InlineData("c=biws,r={nonce},p=")]
    [InlineData("c=biws,r={nonce},p=!!!")]
    [InlineData("c=biws,r={nonce},p=AAAA")]
    [InlineData("")]
    public void Last_message_without_what_it_needs_is_refused(string final)
    {
        var talk = new Talk("SCRAM-SHA-256");
        var proof = talk.Final(talk.Nonce).Split(",p=")[1];
        var message = final.Replace("{nonce}", talk.Nonce, StringComparison.Ordinal).Replace("{proof}", proof, StringComparison.Ordinal);
        Assert.Throws<SaslException>(() => talk.Exchange.Next(Encoding.UTF8.GetBytes(message)));
    }

    [Fact]
    public void User_who_does_not_exist_is_asked_for_a_proof_like_any_other_and_fails_with_it()
    {
        string Challenge()
        {
            var exchange = new ScramExchange(ScramMechanism.Sha256, _ => null, _decoy);
            return Encoding.UTF8.GetString(exchange.Next(Encoding.UTF8.GetBytes("n,,n=nobody,r=" + ClientNonce)).Answer);
        }

        // The same salt each time, as of a user that is there.
        Assert.Equal(Challenge().Split(',')[1..], Challenge().Split(',')[1..]);
        var talk = new Talk("SCRAM-SHA-256", exists: false);
        Assert.Throws<SaslException>(() => talk.Finish(talk.Nonce));
    }

    /// <summary>A login up to the server's challenge, by a client that knows the password.</summary>
    private sealed class Talk
    {
        private const string First = "n=alice,r=" + ClientNonce;
        private readonly ScramMechanism _mechanism;
        private readonly string _challenge;
        private byte[] _conversation = [];
        private ScramCredential? _credential;

        public Talk(string name, bool exists = true)
        {
            ScramMechanism.TryFind(name, out var mechanism);
            _mechanism = mechanism!;
            var stored = ScramCredential.FromPassword(_mechanism, Password, ScramCredential.MinIterations);
            Exchange = new ScramExchange(_mechanism, user => exists && user == "alice" ? stored : null, _decoy);
            _challenge = Encoding.UTF8.GetString(Exchange.Next(Encoding.UTF8.GetBytes("n,," + First)).Answer);
        }

        public ScramExchange Exchange { get; }

        public string Nonce => _challenge.Split(',')[0][2..];

        public string ExpectedAnswer => "v=" + Convert.ToBase64String(_mechanism.Hmac(_credential!.ServerKey, _conversation));

        public string Final(string nonce)
        {
            var parts = _challenge.Split(',');
            var salt = Convert.FromBase64String(parts[1][2..]);
            var iterations = int.Parse(parts[2][2..], System.Globalization.CultureInfo.InvariantCulture);
            var salted = _mechanism.Salted(Encoding.UTF8.GetBytes(Password), salt, iterations);
            _credential = ScramCredential.FromSaltedPassword(_mechanism, salt, salted, iterations);
            var last = "c=biws,r=" + nonce;
            _conversation = Encoding.UTF8.GetBytes($"{First},{_challenge},{last}");
            var proof = _mechanism.Hmac(_credential.StoredKey, _conversation);
            var key = _mechanism.Hmac(salted, "Client Key"u8);
            for (var i = 0; i < proof.Length; i++)
                proof[i] ^= key[i];
            return $"{last},p={Convert.ToBase64String(proof)}";
        }

        public SaslStep Finish(string nonce) => Exchange.Next(Encoding.UTF8.GetBytes(Final(nonce)));
    }
}
