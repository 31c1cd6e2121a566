using System.Net;
using BasiqFunctions.Notifications;
using Microsoft.Extensions.Options;

namespace BasiqFunctions.Tests.Notifications;

/// <summary>Where notifications may be sent.</summary>
[Trait("Category", "Unit")]
public sealed class ReceiverAddressesTests
{
    [Theory]
    [InlineData("https://hooks.example.com/basiq")]
    [InlineData("https://hooks.example.com:8443/basiq?tenant=1&a=%20")]
    [InlineData("https://8.8.8.8/")]
    [InlineData("https://[2606:4700:4700::1111]/hooks")]
    [InlineData("HTTPS://HOOKS.EXAMPLE.COM")]
    [InlineData("https://xn--bcher-kva.example/hooks")]
    public void What_anybody_can_reach_by_https_is_taken(string url) => Assert.Null(Addresses().Refuse(url));

    [Theory]
    [MemberData(nameof(Tricky))]
    public void What_leads_elsewhere_or_can_be_read_in_two_ways_is_refused(string url) => Assert.NotNull(Addresses().Refuse(url));

    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("10.255.255.255")]
    [InlineData("100.64.0.1")]
    [InlineData("127.0.0.2")]
    [InlineData("168.63.129.16")]
    [InlineData("169.254.169.254")]
    [InlineData("172.31.0.1")]
    [InlineData("192.168.1.1")]
    [InlineData("198.18.0.1")]
    [InlineData("224.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("::")]
    [InlineData("::1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("::ffff:169.254.169.254")]
    [InlineData("::127.0.0.1")]
    [InlineData("64:ff9b::a9fe:a9fe")]
    [InlineData("64:ff9b:1::1")]
    [InlineData("100::1")]
    [InlineData("2001::1")]
    [InlineData("2001:db8::1")]
    [InlineData("2002:7f00:1::1")]
    [InlineData("fc00::1")]
    [InlineData("fd00:ec2::254")]
    [InlineData("fe80::1")]
    [InlineData("fec0::1")]
    [InlineData("ff02::1")]
    public void No_connection_is_made_to_an_address_that_is_not_everybodys(string address)
    {
        Assert.False(Addresses().Allows(IPAddress.Parse(address)));
        Assert.True(Addresses("0.0.0.0/0;::/0").Allows(IPAddress.Parse(address)));
    }

    [Theory]
    [InlineData("1.1.1.1")]
    [InlineData("172.32.0.1")]
    [InlineData("2606:4700:4700::1111")]
    [InlineData("::ffff:8.8.8.8")]
    public void Connections_are_made_to_others(string address) => Assert.True(Addresses().Allows(IPAddress.Parse(address)));

    [Fact]
    public void A_network_that_a_setting_allows_is_open_and_http_is_for_loopback_alone()
    {
        var addresses = Addresses("10.1.0.0/16; 127.0.0.0/8");
        Assert.Null(addresses.Refuse("https://10.1.2.3/hooks"));
        Assert.NotNull(addresses.Refuse("https://10.2.2.3/hooks"));
        Assert.NotNull(addresses.Refuse("http://10.1.2.3/hooks"));
        Assert.Null(addresses.Refuse("http://127.0.0.1:5000/hooks"));
        Assert.Null(addresses.Refuse("http://localhost:5000/hooks"));
        Assert.NotNull(addresses.Refuse("http://hooks.example.com/"));
    }

    public static TheoryData<string> Tricky() =>
    [
        // Not https, or no URL.
        "", " ", "hooks", "/hooks", "//hooks.example.com", "http://hooks.example.com/", "ftp://hooks.example.com/", "file:///etc/passwd",
        "javascript:alert(1)", "data:text/plain,x", "gopher://hooks.example.com/", "ws://hooks.example.com/", "https:", "https:/", "https://",
        "https:///hooks", "https:hooks.example.com", "https:/hooks.example.com", "https://?x", "https://#x", "https:// hooks.example.com/",
        "https://hooks.example.com/ x", "https://hooks.example.com\\@127.0.0.1/", "https:\\\\hooks.example.com\\", "https://hooks.example.com/\n",
        "https://hooks.example.com/\r\nHost: x", "https://hooks.example.com/\0", "https://hooks.example.com/é", "https://bücher.example/",
        "https://hooks.example.com/#part", "https://hooks.example.com:99999/", "https://hooks.example.com:-1/", "https://[::1", "https://::1/",

        // Credentials.
        "https://user@hooks.example.com/", "https://user:secret@hooks.example.com/", "https://:@hooks.example.com/", "https://@hooks.example.com/",
        "https://hooks.example.com@127.0.0.1/", "https://hooks.example.com%40127.0.0.1/",

        // Names of this machine and of networks of one's own.
        "https://localhost/", "https://LOCALHOST/", "https://localhost./", "https://foo.localhost/", "https://localhost.localdomain.internal/",
        "https://printer.local/", "https://metadata/", "https://intranet/", "https://metadata.google.internal/", "https://db.internal./",
        "https://ip6-localhost/", "https://host/", "http://localhost/", "http://127.0.0.1/",

        // Loopback, however it is spelled.
        "https://127.0.0.1/", "https://127.0.0.1./", "https://127.1/", "https://127.0.1/", "https://0177.0.0.1/", "https://0x7f.0.0.1/", "https://0x7f000001/",
        "https://2130706433/", "https://017700000001/", "https://127.255.255.254/", "https://0.0.0.0/", "https://0/", "https://[::1]/", "https://[::]/",
        "https://[0:0:0:0:0:0:0:1]/", "https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/", "https://[::127.0.0.1]/", "https://[::1%25lo]/",
        "https://[64:ff9b::7f00:1]/", "https://[2002:7f00:1::]/",

        // Private, link-local, and where clouds answer their machines.
        "https://10.0.0.1/", "https://10.1/", "https://0xa.0.0.1/", "https://167772161/", "https://172.16.0.1/", "https://172.31.255.255/", "https://192.168.0.1/",
        "https://192.168.257/", "https://169.254.169.254/", "https://169.254.169.254:443/metadata", "https://0xa9fea9fe/", "https://2852039166/",
        "https://0251.0376.0251.0376/", "https://[::ffff:169.254.169.254]/", "https://[fe80::1]/", "https://[fe80::1%25eth0]/", "https://[fc00::1]/",
        "https://[fd00:ec2::254]/", "https://168.63.129.16/", "https://100.64.0.1/", "https://100.100.100.200/", "https://198.18.0.1/",

        // Nobody's.
        "https://224.0.0.1/", "https://255.255.255.255/", "https://240.0.0.1/", "https://192.0.2.1/", "https://198.51.100.1/", "https://203.0.113.1/",
        "https://[2001:db8::1]/", "https://[ff02::1]/", "https://[2001::1]/", "https://[100::1]/",
        "https://hooks.example.com/" + new string('a', 1024),
    ];

    private static ReceiverAddresses Addresses(string allowed = "") => new(Options.Create(new NotificationOptions { AllowedNetworks = allowed }));
}
