using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Broker.Lite.Security.Sasl;
using Broker.Lite.Tests.Support;

namespace Broker.Lite.Tests.Security;

public sealed class JwtTests : IDisposable
{
    private readonly RSA _rsa = RSA.Create(2048);
    private readonly ECDsa _ec = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly JwtKeys _keys;
    private readonly ManualClock _clock = new();
    private readonly JwtValidator _validator;
    private readonly long _now;

    public JwtTests()
    {
        var rsa = _rsa.ExportParameters(false);
        var ec = _ec.ExportParameters(false);
        _keys = JwtKeys.Parse(
            $$"""
            {"keys":[
              {"kty":"RSA","kid":"r","use":"sig","n":"{{Base64Url.EncodeToString(rsa.Modulus)}}","e":"{{Base64Url.EncodeToString(rsa.Exponent)}}"},
              {"kty":"EC","kid":"e","crv":"P-256","x":"{{Base64Url.EncodeToString(ec.Q.X)}}","y":"{{Base64Url.EncodeToString(ec.Q.Y)}}"},
              {"kty":"oct","k":"c2VjcmV0"}]}
            """,
            "test");
        _validator = new JwtValidator(_keys, "iss", ["aud"], "sub", TimeSpan.FromSeconds(30), _clock);
        _now = _clock.GetUtcNow().ToUnixTimeSeconds();
    }

    public void Dispose()
    {
        _keys.Dispose();
        _rsa.Dispose();
        _ec.Dispose();
    }

    [Fact]
    public void Tokens_of_both_kinds_of_key_are_accepted()
    {
        Assert.True(_validator.TryValidate(Rsa(Claims()), out var user, out var until, out _));
        Assert.Equal(("alice", _now + 60), (user, until.ToUnixTimeSeconds()));
        Assert.True(_validator.TryValidate(Ec(Claims()), out user, out _, out _));
        Assert.Equal("alice", user);
    }

    [Fact]
    public void Tokens_that_are_not_right_are_refused()
    {
        var good = Claims();
        string[] bad =
        [
            Rsa(Claims(exp: _now - 31)),
            Rsa(Claims(extra: $",\"nbf\":{_now + 31}")),
            Rsa(Claims(extra: $",\"iat\":{_now + 31}")),
            Rsa(Claims(iss: "other")),
            Rsa(Claims(aud: "\"other\"")),
            Rsa(Claims(aud: "[\"x\",\"y\"]")),
            Rsa("""{"sub":"alice","iss":"iss","aud":"aud"}"""),
            Rsa($$"""{"iss":"iss","aud":"aud","exp":{{_now + 60}}}"""),
            Rsa($$"""{"sub":7,"iss":"iss","aud":"aud","exp":{{_now + 60}}}"""),
            Rsa("""{"sub":"alice","iss":"iss","aud":"aud","exp":1e300}"""),
            Rsa("""{"sub":"alice","iss":"iss","aud":"aud","exp":"soon"}"""),
            Rsa("[]"),
            Rsa(good, """{"alg":"none","kid":"r"}"""),
            Rsa(good, """{"alg":"HS256","kid":"r"}"""),
            Rsa(good, """{"alg":"ES256","kid":"r"}"""),
            Rsa(good, """{"alg":"RS256","kid":"e"}"""),
            Rsa(good, """{"alg":"RS256","crit":["x"]}"""),
            Rsa(good)[..^4] + "AAAA",
            Rsa(good).Replace('.', ' '),
            Rsa(good) + ".x",
            "", ".", "..", "...", "a.b.c", new string('a', 40_000),
        ];
        foreach (var token in bad)
        {
            Assert.False(_validator.TryValidate(token, out var user, out _, out var fault), token);
            Assert.Null(user);
            Assert.NotNull(fault);
        }
    }

    [Fact]
    public void Clock_skew_is_allowed_on_both_sides()
    {
        Assert.True(_validator.TryValidate(Rsa(Claims(exp: _now - 29)), out _, out _, out _));
        Assert.True(_validator.TryValidate(Rsa(Claims(extra: $",\"nbf\":{_now + 29}")), out _, out _, out _));
    }

    [Fact]
    public void Mutated_tokens_are_refused_and_never_end_the_broker()
    {
        const int Seed = 20261121;
        var random = new Random(Seed);
        var token = Rsa(Claims()).ToCharArray();
        for (var round = 0; round < 3_000; round++)
        {
            var mutated = (char[])token.Clone();
            for (var change = random.Next(1, 6); change > 0; change--)
                mutated[random.Next(mutated.Length)] = (char)random.Next(1, 256);
            var text = new string(mutated, 0, random.Next(4) == 0 ? random.Next(mutated.Length) : mutated.Length);
            if (text.AsSpan().SequenceEqual(token))
                continue;
            // Unused bits at the end of base 64 may differ without changing the signature: then the token is as good as before.
            if (_validator.TryValidate(text, out var user, out _, out _))
                Assert.True(user == "alice" && text[..^2] == new string(token)[..^2], $"seed {Seed} round {round}: {text}");
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("{\"keys\":[]}")]
    [InlineData("{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQ\",\"e\":\"AQAB\"}]}")]
    [InlineData("{\"keys\":7}")]
    [InlineData("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----")]
    public void Key_files_without_a_usable_key_are_refused(string text) => Assert.Throws<InvalidDataException>(() => JwtKeys.Parse(text, "test").Dispose());

    private string Claims(long? exp = null, string iss = "iss", string aud = "\"aud\"", string extra = "") =>
        $$"""{"sub":"alice","iss":"{{iss}}","aud":{{aud}},"exp":{{exp ?? _now + 60}}{{extra}}}""";

    private string Rsa(string claims, string header = """{"alg":"RS256","kid":"r"}""") =>
        Sign(claims, header, signed => _rsa.SignData(signed, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));

    private string Ec(string claims) => Sign(claims, """{"alg":"ES256","kid":"e"}""", signed => _ec.SignData(signed, HashAlgorithmName.SHA256));

    private static string Sign(string claims, string header, Func<byte[], byte[]> sign)
    {
        var signed = Base64Url.EncodeToString(Encoding.UTF8.GetBytes(header)) + "." + Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims));
        return signed + "." + Base64Url.EncodeToString(sign(Encoding.ASCII.GetBytes(signed)));
    }
}
